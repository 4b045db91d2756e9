import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import type { TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest } from "./database-per-test.ts";
import { expectNextRunEndsWell, gates, killDrafts, killHard } from "./disturbed-runs.ts";
import { type Deployer, startDeployer } from "./processes.ts";

/**
 * Defines the tests of the run after a killed deployer.
 *
 * @param every also kills it at moments of a kind that another test covers
 */
export function describeKilledDeployer(every: boolean): void {
  const test = databasePerTest();
  const { folderOf, query } = test;
  const polling = { timeout: 60_000, interval: 50 };
  let connection: Connection;
  let made: TestFolder;
  let deployer: Deployer | undefined;
  beforeEach(async () => {
    connection = test.connection;
    made = await folderOf(killDrafts);
  });
  afterEach(() => deployer?.child.kill("SIGKILL"));

  const start = (freezeAfter?: string): Deployer => {
    deployer = startDeployer(connection, made.folder, freezeAfter);
    return deployer;
  };
  const applyTo = (last: string) => applyMigrations({ connection, folder: made.folder, to: last });
  /** Runs `meanwhile` while a session holds the locks of the statements. */
  const holding = (statements: string, meanwhile: () => Promise<void>) =>
    withClient(connection, async (holder) => {
      await holder.query(statements);
      await meanwhile();
    });
  /** Waits until this number of sessions waits for a lock of this kind. */
  const waiting = (kind: "advisory" | "transactionid", sessions: number) =>
    expect
      .poll(() => query(`select from pg_locks where not granted and locktype = '${kind}'`), polling)
      .toHaveLength(sessions);
  /** Kills a deployer while its session waits for a lock. The server ends that session before it gets the lock. */
  const killWaiting = async (killed: Deployer, kind: Parameters<typeof waiting>[0]) => {
    await waiting(kind, 1);
    await killHard(killed);
    await waiting(kind, 0);
  };
  const indexes = () =>
    query(
      "select relname as name, indisvalid as valid from pg_index join pg_class on oid = indexrelid where relname = 't_x'",
    );
  const applied = () => query<{ n: number }>("select count(*)::int as n from graphile_migrate.migrations");

  describe("the run after a killed deployer", () => {
    if (every)
      it("converges after a kill before the lock", async () => {
        await holding("select pg_advisory_lock(74768639675)", async () => {
          const killed = start();
          await killed.line(({ kind }) => kind === "waiting");
          await killHard(killed);
        });
        await expectNextRunEndsWell(connection, test.server.connection(), made);
      });

    it("converges after a kill within a file", async () => {
      await applyTo("1");
      await holding(`select pg_advisory_lock(${gates.inFile})`, async () => {
        await killWaiting(start(), "advisory");
      });
      expect(await applied()).toEqual([{ n: 1 }]);
      await expectNextRunEndsWell(connection, test.server.connection(), made);
    });

    if (every)
      it("converges after a kill between a file's statements and its commit", async () => {
        await applyTo("1");
        await holding(`select pg_advisory_lock(${gates.atCommit})`, async () => {
          await killWaiting(start(), "advisory");
        });
        expect(await applied()).toEqual([{ n: 1 }]);
        await expectNextRunEndsWell(connection, test.server.connection(), made);
      });

    if (every)
      it("converges after a kill between two files", async () => {
        const killed = start("000002-column.sql");
        await killed.line(({ kind, filename }) => kind === "applied" && filename === "000002-column.sql");
        await killHard(killed);
        expect(await applied()).toEqual([{ n: 2 }]);
        await expectNextRunEndsWell(connection, test.server.connection(), made);
      });

    it("converges after a kill during a concurrent build", async () => {
      await applyTo("2");
      // The build waits for this transaction. Its index exists, but is not valid.
      await holding("begin; update t set x = 0 where id = 1", async () => {
        const killed = start();
        await expect.poll(indexes, polling).toEqual([{ name: "t_x", valid: false }]);
        await killHard(killed);
      });
      await expectNextRunEndsWell(connection, test.server.connection(), made);
    });

    it("converges after a kill between a concurrent build and its record", async () => {
      await applyTo("2");
      await holding("begin; update t set x = 0 where id = 1", async () => {
        const killed = start();
        await expect.poll(indexes, polling).toEqual([{ name: "t_x", valid: false }]);
        await withClient(connection, async (writer) => {
          await writer.query("begin; select from pgroundwork.migration_ledger where finished_at is null for update");
          // Ends the transaction that the build waits for.
          await query(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where state = 'idle in transaction' and query like '%update t set%'",
            test.server.connection(connection.database),
          );
          await expect.poll(indexes, polling).toEqual([{ name: "t_x", valid: true }]);
          await killWaiting(killed, "transactionid");
        });
      });
      const [build] = await query<{ oid: string }>("select 't_x'::regclass::oid as oid");
      expect(await applied()).toEqual([{ n: 2 }]);
      await expectNextRunEndsWell(connection, test.server.connection(), made);
      // The index was recorded, not built a second time.
      expect(await query("select 't_x'::regclass::oid as oid")).toEqual([build]);
    });
  });
}
