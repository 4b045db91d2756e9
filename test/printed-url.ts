import type { Connection } from "../scripts/connection/connection.ts";
import { fromUrl } from "../scripts/connection/url.ts";

/** Parses the URL that `pgw url` printed, which includes the password. */
export function connectionOf(printed: string): Connection {
  const url = new URL(printed.trim());
  const password = decodeURIComponent(url.password);
  url.password = "";
  return fromUrl(url.href, { PGPASSWORD: password });
}
