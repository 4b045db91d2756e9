import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { applyMigrations, type MigrationEvent } from "../../../../scripts/migrate/apply.ts";
import { readStatus } from "../../../../scripts/migrate/verify.ts";
import { databasePerTest } from "./database-per-test.ts";
import { expectRaceIsWon, raceDrafts } from "./disturbed-runs.ts";
import { type Deployer, startDeployer } from "./processes.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
let deployers: Deployer[] = [];
beforeEach(() => {
  connection = test.connection;
});
afterEach(() => {
  for (const deployer of deployers) deployer.child.kill("SIGKILL");
  deployers = [];
});

function start(folder: string): Deployer {
  const deployer = startDeployer(connection, folder);
  deployers.push(deployer);
  return deployer;
}

/** Applies in this process; `waiting` resolves with the event of that kind. */
function applyHere(folder: string, signal?: AbortSignal) {
  const waiting = Promise.withResolvers<MigrationEvent & { kind: "waiting" }>();
  const onEvent = (event: MigrationEvent) => {
    if (event.kind === "waiting") waiting.resolve(event);
  };
  const result = applyMigrations({ connection, folder, onEvent, ...(signal === undefined ? {} : { signal }) });
  // A run that ends without waiting must fail the test instead of blocking it.
  result.then(
    () => waiting.reject(new Error("it did not wait")),
    (error: unknown) => waiting.reject(error),
  );
  waiting.promise.catch(() => {});
  return { result, waiting: waiting.promise };
}

describe("concurrent deployers", () => {
  it.each([1, 2, 3])("all succeed with eight processes, and each file is applied once (race %i)", async () => {
    const made = await folderOf(raceDrafts);
    await expectRaceIsWon(connection, made, 8);
  });

  it("get the lock of a killed one although its statement runs on, and apply the rest", async () => {
    const { folder } = await folderOf([
      { name: "a", body: "create table pause (seconds int); insert into pause values (3600);" },
      { name: "b", body: "create table b ();\nselect pg_sleep(seconds) from pause;" },
      { name: "c", body: "create table c ();" },
    ]);
    const killed = start(folder);
    await killed.line((line) => line.kind === "started" && line.filename === "000002-b.sql");
    const { result, waiting } = applyHere(folder);
    const { holder } = await waiting;
    expect(holder).toMatchObject({
      applicationName: "pgroundwork migrate",
      user: `${connection.database}_migrator`,
      since: expect.any(Date),
      pid: expect.any(Number),
    });
    killed.child.kill("SIGKILL");
    expect(await killed.exited).toBeNull();
    await query("update pause set seconds = 0");
    expect((await result).applied.map((each) => each.filename)).toEqual(["000002-b.sql", "000003-c.sql"]);
  });

  it("do not block another one's concurrent index build while they wait", async () => {
    const { folder } = await folderOf([
      { name: "t", body: "create table t (x int);" },
      { name: "i", body: "--! no-transaction\ncreate index concurrently t_x on t (x);" },
    ]);
    const other = await folderOf([{ name: "t", body: "create table t (x int);" }]);
    await applyMigrations({ connection, folder: other.folder });
    await withClient(connection, async (blocker) => {
      // The index build waits for this transaction, so that the second deployer arrives meanwhile.
      await blocker.query("begin; insert into t values (1)");
      const first = start(folder);
      await first.line((line) => line.kind === "started");
      const { result, waiting } = applyHere(folder);
      await waiting;
      await blocker.query("commit");
      expect(await first.exited).toBe(0);
      expect((await result).applied).toEqual([]);
    });
    expect(await query("select indisvalid from pg_index where indexrelid = 't_x'::regclass")).toEqual([
      { indisvalid: true },
    ]);
  });

  it("can be cancelled while they wait, and have changed nothing", async () => {
    const { folder } = await folderOf([{ name: "t", body: "create table t (x int);" }]);
    await withClient(
      connection,
      async (holder) => {
        await holder.query("select pg_advisory_lock(74768639675)");
        const controller = new AbortController();
        const { result, waiting } = applyHere(folder, controller.signal);
        await waiting;
        controller.abort(new Error("enough"));
        await expect(result).rejects.toThrow("enough");
      },
      "someone",
    );
    expect(await readStatus(connection, folder)).toMatchObject({
      known: true,
      applied: [],
      pending: [{ filename: "000001-t.sql" }],
    });
  });

  it("run the hooks only in the one that applies the files", async () => {
    const { folder } = await folderOf([{ name: "t", body: "create table t (who text);" }]);
    const hooks = { beforeAllMigrations: "before.sql", afterAllMigrations: "after.sql" };
    await writeFile(path.join(folder, ".gmrc"), JSON.stringify(hooks));
    await writeFile(path.join(folder, "before.sql"), "create table trace (who text);");
    await writeFile(path.join(folder, "after.sql"), "insert into trace values ('after');");
    await withClient(connection, async (holder) => {
      await holder.query("select pg_advisory_lock(74768639675)");
      const both = [applyHere(folder), applyHere(folder)];
      // Both have found pending files before either of them applies them.
      for (const { waiting } of both) await waiting;
      await holder.query("select pg_advisory_unlock(74768639675)");
      const results = await Promise.all(both.map(({ result }) => result));
      expect(results.map(({ applied }) => applied.length).sort()).toEqual([0, 1]);
    });
    expect(await query("select who from trace")).toEqual([{ who: "after" }]);
  });

  it("also wait for graphile-migrate's own lock", async () => {
    const { folder } = await folderOf([{ name: "t", body: "create table t (x int);" }]);
    await withClient(
      connection,
      async (holder) => {
        await holder.query("select pg_advisory_lock(4727445306447283)");
        const { result, waiting } = applyHere(folder);
        expect((await waiting).holder.applicationName).toBe("graphile");
        await holder.query("select pg_advisory_unlock(4727445306447283)");
        expect((await result).applied).toHaveLength(1);
      },
      "graphile",
    );
  });
});
