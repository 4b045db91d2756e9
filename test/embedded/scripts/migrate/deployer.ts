/**
 * One deployer as a process of its own: the folder as argument, the database in DATABASE_URL. Every event is a line of JSON on stdout, the
 * result or the error the last. With FREEZE_AFTER it stands still for ever when the file of that name is applied, before the next one.
 */
import { applyMigrations, type MigrationEvent } from "../../../../scripts/migrate/apply.ts";
import { fromEnvironment } from "../../../../scripts/target/environment.ts";

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
