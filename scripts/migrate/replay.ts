import type { Client } from "pg";
import { inTransaction } from "../database/session.ts";
import { runSql } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";
import type { CommittedMigration } from "./committed.ts";
import { applySettings, type GraphileSession, openGraphileSession } from "./graphile-migrate.ts";
import { type HookRun, runHooks } from "./hooks.ts";

const remedy = "Tried in a scratch database, which is gone again; nothing else was touched.";

/**
 * Runs committed files in an empty scratch or shadow database, in their order, with the hooks of `.gmrc` for such a database (`afterReset` first), as a
 * new environment would have them. They are recorded by graphile-migrate's own table, which its hooks and views may read, and by nothing else.
 *
 * @param admin who hooks marked `root` run as
 * @throws SqlFileError for the file that fails
 */
export async function replay(
  scratch: Connection,
  admin: Connection,
  folder: string,
  files: readonly CommittedMigration[],
): Promise<void> {
  const session = await openGraphileSession(folder, scratch);
  const hooks = { session, folder, connection: scratch, admin, shadow: true };
  await prepareScratch(hooks);
  await runHooks("beforeAllMigrations", hooks);
  await replayFiles(hooks, files);
  await runHooks("afterAllMigrations", hooks);
}

/** Makes graphile-migrate's own table in an empty scratch database, with the hooks that surround that. */
export async function prepareScratch(scratch: HookRun): Promise<void> {
  const { session, connection } = scratch;
  await runHooks("beforeReset", scratch);
  await withClient(connection, (client) => session.ensureTracking(client), "pgroundwork scratch");
  await runHooks("afterReset", scratch);
}

/**
 * Runs committed files, without the hooks that surround them.
 * @throws SqlFileError for the file that fails
 */
export async function replayFiles(
  { session, connection }: Pick<HookRun, "session" | "connection">,
  files: readonly CommittedMigration[],
): Promise<void> {
  await withClient(
    connection,
    async (client) => {
      await applySettings(client, session);
      for (const file of files) await replayFile(client, file, session);
    },
    "pgroundwork scratch",
  );
}

/**
 * Runs one committed file and records it in graphile-migrate's table.
 *
 * @param place where its body stands for people, in place of the file itself
 */
export async function replayFile(
  client: Client,
  file: CommittedMigration,
  session: GraphileSession,
  place: Pick<SqlSource, "file" | "text" | "start"> = { file: file.filename, text: file.text, start: file.bodyStart },
): Promise<void> {
  const record = () =>
    client.query("insert into graphile_migrate.migrations (hash, previous_hash, filename) values ($1, $2, $3)", [
      file.hash,
      file.previousHash,
      file.trackingName,
    ]);
  await runAndRecord(client, { ...place, compile: session.compile }, file, remedy, record);
}

/**
 * Runs a file's SQL and changes what is recorded of it: in one transaction, or for a file that cannot run in one, one after the other.
 *
 * @throws SqlFileError
 */
export async function runAndRecord(
  client: Client,
  source: SqlSource,
  { transactional }: { transactional: boolean },
  remedy: string,
  record: () => Promise<unknown>,
): Promise<void> {
  const work = async () => {
    await runSql(client, source, remedy);
    await record();
  };
  await (transactional ? inTransaction(client, work) : work());
}
