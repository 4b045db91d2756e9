import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { tryOut } from "../../../../scripts/migrate/authoring/try-out.ts";
import { baseline } from "../../../../scripts/migrate/baseline.ts";
import { readCommitted } from "../../../../scripts/migrate/committed.ts";
import { readCurrent } from "../../../../scripts/migrate/graphile-migrate-authoring.ts";
import { lintTarget } from "../../../../scripts/migrate/lint/pending.ts";
import { planMigrations } from "../../../../scripts/migrate/plan/plan.ts";
import { previewMigrations } from "../../../../scripts/migrate/preview.ts";
import { readSchemaDrift } from "../../../../scripts/migrate/schema-drift.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import { committedFolderOf, type Draft, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { clusterFingerprint, folderFingerprint } from "../../fingerprint.ts";
import { startServer, type TestServer } from "../../server.ts";

/** Pending files that change the server outside their database. They run as superuser, who has all privileges. */
const drafts: Draft[] = Object.entries({
  "create-role": "create role fresh;",
  "drop-role": "drop role leaver;",
  "alter-role": "alter role fresh createdb; grant fresh to other_owner; comment on role fresh is 'seen';",
  "alter-database": "alter database other set work_mem = '5MB'; comment on database other is 'seen';",
  "drop-database": "--! no-transaction\ndrop database other;",
  "create-database": "--! no-transaction\ncreate database made;",
  "alter-system": "--! no-transaction\nalter system set work_mem = '5MB';",
  reload: "select pg_reload_conf();",
  "switch-wal": "select pg_switch_wal();",
  terminate: "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres';",
  "large-object": "select lo_from_bytea(0, 'x');",
  slot: "select pg_create_physical_replication_slot('left', true);",
  // Its folder is on the live server's machine.
  tablespace: "--! no-transaction\ncreate tablespace fast location '/var/tmp';",
}).map(([name, body]) => ({ name, body }));

let server: TestServer;
let superuser: Connection;
let folders: TestFolder[] = [];
beforeAll(async () => {
  // Only these tests may change the server meanwhile.
  server = await startServer({ autovacuum: "off", checkpoint_timeout: "1h" });
  superuser = server.connection();
  await server.createDatabase("shop");
  await server.createDatabase("other");
  await withClient(superuser, (client) => client.query("create role leaver"));
});
afterAll(async () => {
  for (const folder of folders) await folder.remove();
  folders = [];
  await server?.stop();
});

const folderOf = async (drafts: readonly Draft[]) => {
  const made = await committedFolderOf(drafts);
  folders.push(made);
  return made.folder;
};

/** Runs every read-only command and ignores its result. Expects no change of the server and the folder. */
async function expectUnchanged(connection: Connection, folder: string): Promise<string[]> {
  const all = async () => ({ ...(await clusterFingerprint(superuser)), ...(await folderFingerprint(folder)) });
  const options = { connection, admin: superuser, folder };
  const before = await all();
  const { files } = await planMigrations(options);
  await readSchemaDrift(options);
  await readStatus(connection, folder);
  await previewMigrations(connection, folder, {});
  await lintTarget(connection, folder);
  const committed = await readCommitted(folder);
  const last = committed.at(-1);
  // The trial of `commit`, with the last committed file as the current one. `baseline` runs the same trial before it
  // records.
  if (last !== undefined) {
    const current = { ...(await readCurrent(folder)), text: last.text, body: last.text.slice(last.bodyStart) };
    const trial = { ...options, committed: committed.slice(0, -1), migration: last, current, down: undefined };
    await tryOut(trial).catch(() => undefined);
  }
  await baseline({ ...options, dryRun: true }).catch(() => undefined);
  expect(await all()).toEqual(before);
  return files.map(({ trial }) => trial);
}

describe("read-only commands", () => {
  it("change nothing in the server, even if pending statements reach beyond the database", async () => {
    const folder = await folderOf(drafts);
    const trials = await expectUnchanged(inDatabase(superuser, "shop"), folder);
    expect(trials).toEqual([...drafts.slice(1).map(() => "passed"), "not tried"]);
  });

  it("change nothing in the server, even if applied files and hooks drop and create shared objects", async () => {
    const folder = await folderOf([
      { name: "applied", body: "create role once; create table t (id int); grant select on t to once" },
      { name: "pending", body: "drop owned by once; drop role once" },
    ]);
    const hooks = { afterReset: "!reset.sql", beforeAllMigrations: "before.sql", afterAllMigrations: "after.sql" };
    await writeFile(path.join(folder, ".gmrc"), JSON.stringify(hooks));
    await writeFile(path.join(folder, "reset.sql"), "create role by_hook; grant leaver to by_hook");
    await writeFile(path.join(folder, "before.sql"), "alter role leaver connection limit 3");
    await writeFile(path.join(folder, "after.sql"), "alter role leaver set work_mem = '6MB'");
    const connection = inDatabase(superuser, "shop");
    await applyMigrations({ connection, admin: superuser, folder, to: "1" });
    expect(await expectUnchanged(connection, folder)).toEqual(["passed"]);
  });

  it("change nothing on this machine, even if a hook runs a command or a file tries to", async () => {
    const folder = await folderOf([
      { name: "copy", body: "copy (select 1) to program 'touch \"$PWD/copied\"'; create table t (id int);" },
    ]);
    const mark = path.join(folder, "hooked");
    const command = { _: "command", command: `touch '${mark}'` };
    const moments = ["beforeReset", "afterReset", "beforeAllMigrations", "afterAllMigrations"];
    await writeFile(
      path.join(folder, ".gmrc"),
      JSON.stringify(Object.fromEntries(moments.map((moment) => [moment, [command]]))),
    );
    await server.createDatabase("fresh");
    expect(await expectUnchanged(inDatabase(superuser, "fresh"), folder)).toEqual(["not tried"]);
  });
});
