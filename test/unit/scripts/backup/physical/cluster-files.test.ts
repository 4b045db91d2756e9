import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { clusterEntries } from "../../../../../scripts/backup/physical/cluster-files.ts";
import { inBoth } from "../../../../../scripts/backup/physical/live-cluster.ts";
import { leftTemporary } from "../../../../support/left-temporary.ts";

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "cluster-files-"));
});
afterEach(() => rm(data, { recursive: true }));

async function write(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(data, path)), { recursive: true });
    await writeFile(join(data, path), "");
  }
}
async function listed(): Promise<string[]> {
  const found: string[] = [];
  for await (const { kind, path } of clusterEntries(data)) found.push(kind === "directory" ? `${path}/` : path);
  return found;
}

it("a copy leaves out what PostgreSQL's documentation names, sessions' and unlogged relations, and the kit's own files", async () => {
  await write(
    "PG_VERSION",
    "postgresql.auto.conf",
    "global/pg_control",
    "global/1262",
    "base/5/1259",
    "base/5/1259_vm",
  );
  await write("base/5/16384", "base/5/16384.1", "base/5/16384_fsm", "base/5/16384_init", "base/5/t3_16390");
  await write("postmaster.pid", "postmaster.opts", "backup_label.old", "recovery.signal", "current_logfiles");
  await write("pg_replslot/one/state", "pg_wal/000000010000000000000001", "pg_stat_tmp/x", "pg_xact/0000");
  await write("base/pgsql_tmp/pgsql_tmp1.0", "base/5/pg_internal.init", leftTemporary("pgroundwork.conf"));
  expect(await listed()).toEqual([
    "PG_VERSION",
    ...["base/", "base/5/", "base/5/1259", "base/5/1259_vm", "base/5/16384_init"],
    ...["global/", "global/1262", "pg_replslot/", "pg_stat_tmp/", "pg_wal/", "pg_xact/", "pg_xact/0000"],
    "postgresql.auto.conf",
  ]);
});

it("a link to the folder of the WAL is a folder in a copy, any other link is refused", async () => {
  await write("PG_VERSION");
  await symlink("/tmp", join(data, "pg_wal"));
  expect(await listed()).toEqual(["PG_VERSION", "pg_wal/"]);
  await symlink("/tmp", join(data, "pg_xact"));
  await expect(listed()).rejects.toThrow(`The data directory has a link: ${join(data, "pg_xact")}`);
});

it("the description names only databases and migrations that existed before and after the end of the backup", () => {
  const before = [
    { name: "gone", migrations: null },
    { name: "shop", migrations: ["1", "2"] },
    { name: "reset", migrations: ["1"] },
  ];
  const after = [
    { name: "new", migrations: [] },
    { name: "shop", migrations: ["1", "3"] },
    { name: "reset", migrations: null },
  ];
  expect(inBoth(before, after)).toEqual([
    { name: "shop", migrations: ["1"] },
    { name: "reset", migrations: null },
  ]);
});
