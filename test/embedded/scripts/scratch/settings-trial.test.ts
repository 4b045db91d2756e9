import { appendFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { tryStartEmbedded } from "../../../../scripts/scratch/settings-trial.ts";
import { readConfiguration } from "../../../../scripts/server/configuration.ts";
import { ensureServer } from "../../../../scripts/server/embedded.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { freePort } from "../../../support/free-port.ts";
import { ownServers } from "../server/own-servers.ts";
import { scratchFolders } from "./own-scratch.ts";

const ownServer = ownServers();

it("a trial refuses settings with which the server does not start, and the server runs on as it was", async () => {
  const own = ownServer();
  const settings = { ...own.spec.settings, wal_level: "logical", max_prepared_transactions: "2" };
  const ensure = (changed: Record<string, string>) =>
    ensureServer({ ...own.spec, settings: { ...settings, ...changed } }, tryStartEmbedded);
  const { port, pid } = await ensure({});
  await own.query(port, "create table kept (id int)");
  // First, because a slot waits for open transactions.
  await own.query(port, "select pg_create_logical_replication_slot('reader', 'pgoutput')");
  await own.query(port, "begin; insert into kept values (7); prepare transaction 'open'");
  const before = await readConfiguration(own.directory.data);
  const files = await readdir(own.directory.data);

  const wrong: [Record<string, string>, string][] = [
    [{ shared_preload_libraries: "/dev/null" }, 'could not load library "/dev/null"'],
    [{ session_preload_libraries: "/dev/null" }, 'could not load library "/dev/null"'],
    [{ max_prepared_transactions: "0" }, "max_prepared_transactions is 0, but the server has 1 prepared transaction"],
    [{ wal_level: "replica" }, "wal_level is replica, but the server has a logical replication slot"],
    [{ max_replication_slots: "0" }, "max_replication_slots is 0, but the server has 1 replication slot"],
  ];
  const meminfo = await readFile("/proc/meminfo", "utf8").catch(() => "");
  if (/^HugePages_Total: +0$/m.test(meminfo))
    wrong.push([{ huge_pages: "on" }, "could not map anonymous shared memory"]);
  for (const [changed, reason] of wrong) {
    await expect(ensure(changed), reason).rejects.toMatchObject({
      message: expect.stringContaining(`PostgreSQL does not start with these settings: ${reason}`),
      hint: "Correct pgroundwork:postgresql or the setting that the message names (pulumi config). The server was not changed.",
    });
    expect(await findPostmaster(own.directory.data)).toMatchObject({ pid });
    expect(await readConfiguration(own.directory.data)).toBe(before);
  }
  expect(await readdir(own.directory.data)).toEqual(files);
  expect(await scratchFolders()).toEqual([]);

  const mended = await ensure({ max_connections: "25" });
  expect(mended.pid).not.toBe(pid);
  await own.query(port, "commit prepared 'open'");
  expect(await own.query(port, "select id from kept")).toEqual([{ id: 7 }]);
});

it("a trial includes the user's own files and ALTER SYSTEM, and is made only if settings change", async () => {
  const own = ownServer();
  const trial = vi.fn(tryStartEmbedded);
  const ensure = (changed: Record<string, string>, port?: number) =>
    ensureServer({ ...own.spec, port, settings: { ...own.spec.settings, ...changed } }, trial);
  const first = await ensure({});
  await ensure({});
  expect((await ensure({}, await freePort())).pid).not.toBe(first.pid);
  expect(trial).not.toHaveBeenCalled();

  await writeFile(join(own.directory.data, "own.conf"), "session_preload_libraries = 'auto_explain'\n", {
    mode: 0o644,
  });
  await appendFile(join(own.directory.data, "postgresql.conf"), "include 'own.conf'\n");
  await ensure({ max_connections: "25" });
  expect(trial).toHaveBeenCalledTimes(1);
  await appendFile(join(own.directory.data, "postgresql.auto.conf"), "shared_preload_libraries = '/dev/null'\n");
  await expect(ensure({ max_connections: "30" })).rejects.toThrow('could not load library "/dev/null"');
});
