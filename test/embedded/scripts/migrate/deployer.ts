/**
 * One deployer as a separate process. The folder is its argument, the database is in DATABASE_URL. Prints every event
 * as a line of JSON, and the result or the error last. With FREEZE_AFTER, it stops forever after it has applied the
 * file of that name.
 */

import { fromEnvironment } from "../../../../scripts/connection/environment.ts";
import { applyMigrations, type MigrationEvent } from "../../../../scripts/migrate/apply.ts";

const connection = fromEnvironment(process.env);
const folder = process.argv[2];
if (connection === undefined || folder === undefined) throw new Error("DATABASE_URL and a folder are needed");
const say = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);
const onEvent = (event: MigrationEvent) => {
  say(event);
  if (event.kind === "applied" && event.filename === process.env.FREEZE_AFTER)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};
try {
  say({ kind: "result", ...(await applyMigrations({ connection, folder, onEvent })) });
} catch (error) {
  say({ kind: "error", message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
