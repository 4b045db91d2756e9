/** Dumps a database, until it is killed. Its arguments are the connection as JSON, and the folder of the dumps. */
import { createDump } from "../../../../../scripts/backup/dump/create.ts";
import type { Connection } from "../../../../../scripts/connection/connection.ts";

const [text = "", folder = ""] = process.argv.slice(2);
const connection = JSON.parse(text) as Connection;
const docker = { owner: { project: "pgroundwork", stack: "dumps", owner: "tests" } };
process.stdout.write("started\n");
await createDump(
  { connection, database: connection.database, name: "local", docker },
  {
    folder,
    kind: "custom",
    scope: "full",
    globals: false,
    compressed: true,
    recipients: [],
    reason: "requested",
    jobs: 1,
    env: process.env,
    signal: new AbortController().signal,
    onStep: () => {},
    restoreCommand: (id) => id,
  },
);
