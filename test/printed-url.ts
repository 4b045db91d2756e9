import type { Connection } from "../scripts/target/connection.ts";
import { fromUrl } from "../scripts/target/url.ts";

/** How a client logs in by what `pgw url` printed, which has the password in it. */
export function connectionOf(printed: string): Connection {
  const url = new URL(printed.trim());
  const password = decodeURIComponent(url.password);
  url.password = "";
  return fromUrl(url.href, { PGPASSWORD: password });
}
