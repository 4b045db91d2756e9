import { NotKnown } from "../../connection/observer.ts";
import type { Check } from "../check.ts";

export const checksumsOff: Check = {
  name: "checksums-off",
  title: "Data pages have no checksums",
  scope: "server",
  async find(observer) {
    const [row] = await observer.query<{ state: string }>("select current_setting('data_checksums') as state");
    if (row?.state === "on") return { problems: [] };
    if (row?.state !== "off") throw new NotKnown(`data_checksums is ${row?.state ?? "not shown"}`);
    return {
      problems: [
        {
          object: "data_checksums",
          level: "warning",
          detail: "The server does not detect damaged pages: data_checksums is off.",
          hint: "Stop the server, run pg_checksums --enable on its data directory, and start it. It takes as long as reading and writing all data.",
        },
      ],
    };
  },
};
