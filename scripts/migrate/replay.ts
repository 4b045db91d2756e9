import type { Client } from "pg";
import { runSql } from "../sql/run-sql.ts";
import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";
import type { CommittedMigration } from "./committed.ts";
import { type GraphileSession, openGraphileSession } from "./graphile-migrate.ts";
import { runHooks } from "./hooks.ts";

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
  await runHooks("beforeReset", hooks);
  await withClient(scratch, (client) => session.ensureTracking(client), "pgroundwork scratch");
  await runHooks("afterReset", hooks);
  await runHooks("beforeAllMigrations", hooks);
  await withClient(
    scratch,
    async (client) => {
      await applySettings(client, session);
      for (const file of files) await replayFile(client, file, session);
    },
    "pgroundwork scratch",
  );
  await runHooks("afterAllMigrations", hooks);
}

/** Sets what `.gmrc` wants set for a session. */
export async function applySettings(client: Client, session: GraphileSession): Promise<void> {
  for (const [name, value] of Object.entries(session.pgSettings)) {
    await client.query("select pg_catalog.set_config($1::text, $2::text, false)", [name, String(value)]);
  }
}

async function replayFile(client: Client, file: CommittedMigration, session: GraphileSession): Promise<void> {
  const source = { file: file.filename, text: file.text, start: file.bodyStart, compile: session.compile };
  const record = () =>
    client.query("insert into graphile_migrate.migrations (hash, previous_hash, filename) values ($1, $2, $3)", [
      file.hash,
      file.previousHash,
      file.trackingName,
    ]);
  if (!file.transactional) {
    await runSql(client, source, remedy);
    await record();
    return;
  }
  await client.query("begin");
  try {
    await runSql(client, source, remedy);
    await record();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}
