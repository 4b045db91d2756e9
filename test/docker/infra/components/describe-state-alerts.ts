import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterEach, describe, expect, it, vi } from "vitest";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import type { Finished } from "../../../embedded/clone.ts";
import type { Prometheus } from "../../prometheus.ts";
import type { DockerStack } from "../../stack.ts";
import { type LowerLimit, withLowerLimits } from "../lower-limits.ts";

/** A server whose alerts fire after seconds. */
export interface ImpatientServer {
  readonly shop: DockerStack;
  readonly prometheus: Prometheus;
  /** Runs a script in the server's container. */
  shell(text: string): Promise<Pick<Finished, "code" | "stdout" | "stderr">>;
  /** Runs statements in the database of the shop, over the socket. */
  superuser(sql: string): Promise<string>;
  /** Connects as the application, until the end of the test. */
  session(): Promise<pg.Client>;
  endSessions(): Promise<void>;
}

const polling = { timeout: 60_000, interval: 500 };

/**
 * Defines the tests of alerts on the state of the server: replication, locks, checkpoints, temporary files and
 * settings.
 *
 * @param server returns a server without alerts
 */
export function describeStateAlerts(server: () => ImpatientServer): void {
  describe("on its state", () => {
    const superuser = (sql: string) => server().superuser(sql);
    const firing = () => server().prometheus.firing();
    const fire = (...alerts: string[]) => expect.poll(firing, polling).toEqual(expect.arrayContaining(alerts));
    const labels = async (alert: string) =>
      (await server().prometheus.query(`ALERTS{alertname="${alert}"}`))[0]?.labels ?? {};
    const reload = (change: string) => superuser(change).then(() => superuser("select pg_reload_conf()"));
    /** Ends the condition that a test has made, also if the test has failed. */
    const endings: (() => Promise<unknown>)[] = [];
    const atEnd = (...ending: (() => Promise<unknown>)[]) => endings.push(...ending);
    afterEach(async () => {
      for (const end of endings.splice(0)) await end();
      await server().endSessions();
      await vi.waitFor(async () => expect(await firing()).toEqual([]), polling);
    });

    it("report a standby that has left", async () => {
      const { end } = await receiveWal(server().shop);
      atEnd(end);
      await expect.poll(() => server().prometheus.query("pg_server_state_standbys == 1"), polling).toHaveLength(1);
      expect(await firing()).toEqual([]);
      await end();
      await fire("PostgreSQLStandbyMissing");
    });

    it("report a slot that has lost WAL which its client needs", async () => {
      await superuser("select pg_create_physical_replication_slot('away', true)");
      atEnd(() => superuser("select pg_drop_replication_slot('away')"));
      await reload("alter system set max_slot_wal_keep_size = '1MB'");
      atEnd(() => reload("alter system reset max_slot_wal_keep_size"));
      for (let count = 0; count < 4; count += 1)
        await superuser("create table t (); drop table t; select pg_switch_wal()");
      await superuser("checkpoint");
      await fire("PostgreSQLSlotLost");
      expect((await labels("PostgreSQLSlotLost")).slot_name).toBe("away");
    });

    it("report a session that waits for a lock, until it has it", async () => {
      const update = "update product set price = price where id = 1";
      const holder = await server().session();
      await holder.query("begin");
      await holder.query(update);
      // A statement of an application would be a slow one for minutes.
      const waiting = superuser(update);
      await fire("PostgreSQLLockWait", "PostgreSQLLockWaitCritical");
      await holder.query("rollback");
      await waiting;
    });

    it("report a transaction that stays prepared", async () => {
      await superuser("begin; create table prepared (); prepare transaction 'left'");
      atEnd(() => superuser("rollback prepared 'left'"));
      await fire("PostgreSQLPreparedTransaction");
    });

    it("report a table of locks that is nearly full", async () => {
      const [size] = await server().prometheus.query(
        "pg_settings_max_locks_per_transaction * (pg_settings_max_connections + pg_settings_max_prepared_transactions)",
      );
      const locks = Math.ceil(0.82 * (size?.value ?? 0));
      const locking = await server().session();
      await locking.query("select pg_advisory_lock(id) from generate_series(1, $1::int) as id", [locks]);
      await fire("PostgreSQLLocksHigh");
    });

    it("report checkpoints that were requested", async () => {
      await server().shell("for n in $(seq 30); do psql -qc checkpoint; done");
      await fire("PostgreSQLCheckpointsRequested");
    });

    it("report temporary files, in their database", async () => {
      await superuser(
        "set work_mem = '64kB'; select count(*) from (select generate_series(1, 500000) as id order by id desc) as s",
      );
      await fire("PostgreSQLTemporaryFiles");
      expect((await labels("PostgreSQLTemporaryFiles")).datname).toBe("shop");
    });

    it("report a setting that waits for a restart", async () => {
      await reload("alter system set max_connections = 99");
      atEnd(() => reload("alter system reset max_connections"));
      await fire("PostgreSQLRestartPending");
    });

    it("report each query and each collector that fails, although the server answers", async () => {
      const rights: [object: string, right: string, role: string][] = [
        ["function pg_ls_archive_statusdir()", "execute", "pg_monitor"],
        ["function pg_database_collation_actual_version(oid)", "execute", "public"],
        ["pg_prepared_xacts", "select", "public"],
        ["pg_stat_database", "select", "public"],
        ["schema pgroundwork_monitoring", "usage", "monitor"],
      ];
      const inPostgres = async (sql: string) => {
        const { code, stderr } = await server().shell(`psql -Xqd postgres -v ON_ERROR_STOP=1 -c "${sql}"`);
        expect(code, stderr).toBe(0);
      };
      for (const [object, right, role] of rights) {
        atEnd(() => inPostgres(`grant ${right} on ${object} to ${role}`));
        await inPostgres(`revoke ${right} on ${object} from ${role}`);
      }
      await expect
        .poll(firing, polling)
        .toEqual([
          "PostgreSQLArchiveUnknown",
          "PostgreSQLChecksumsUnknown",
          "PostgreSQLCollationUnknown",
          "PostgreSQLCollectorFailing",
          "PostgreSQLQueryFailing",
          "PostgreSQLStateUnknown",
          "PostgreSQLStatementsUnknown",
        ]);
    });

    it("fire by what is measured if the limits are lower", async () => {
      const { shop } = server();
      const path = "infra/monitoring/alerts.yml";
      const rules = await readFile(join(shop.clone.root, path), "utf8");
      const use = async (text: string) => {
        await shop.clone.write(path, text);
        await shop.succeed("up");
      };
      atEnd(() => use(rules));
      await use(withLowerLimits(rules, lowerLimits));
      const client = await server().session();
      const firingInUse = async () => {
        await client.query("select count(*) from product");
        return firing();
      };
      const expected = [...new Set(lowerLimits.map(([rule]) => rule))];
      await expect.poll(firingInUse, polling).toEqual(expect.arrayContaining(expected));
    });
  });
}

/**
 * Starts a standby's session, which receives WAL from now on. pg_hba.conf refuses physical replication, but not a
 * replication session that is connected to a database.
 */
async function receiveWal(shop: DockerStack): Promise<{ end: () => Promise<void> }> {
  const options = { ...clientConfig(await shop.login("superuser")), replication: "database" };
  const client = new pg.Client(options);
  client.on("error", () => {});
  await client.connect();
  const { rows } = await client.query<{ xlogpos: string }>("IDENTIFY_SYSTEM");
  client.query(`START_REPLICATION PHYSICAL ${rows[0]?.xlogpos}`).catch(() => {});
  return { end: () => client.end() };
}

/** Conditions that are true for a healthy server, for causes that take too long or would take too much space. */
const lowerLimits: LowerLimit[] = [
  ["PostgreSQLStorageHigh", "> 0.8", "> 0"],
  ["PostgreSQLStorageCritical", "> 0.95", "> 0"],
  ["PostgreSQLStorageFullSoon", "< 0", "< 1e18"],
  ["PostgreSQLStorageFullSoon", "> 0.5", "> 0"],
  ["PostgreSQLInodesLow", "< 0.1", "< 2"],
  ["PostgreSQLMemoryHigh", "> 0.9", "> 0"],
  ["PostgreSQLWraparoundNear", "(3 *", "(0 *"],
  ["PostgreSQLWraparoundCritical", "> 1.5e9", "> 0"],
  ["PostgreSQLRollbacksHigh", "> 0.2", ">= 0"],
  ["PostgreSQLRollbacksHigh", "> 1\n", ">= 0\n"],
  ["PostgreSQLStatementVerySlow", "> 5", "> 0"],
  ["PostgreSQLStatementSlower", "> 0.1", "> 0"],
  ["PostgreSQLStatementSlower", "> 3 *", "> 0 *"],
  ["PostgreSQLStatementSlower", "> 100", ">= 0"],
  ["PostgreSQLStatementSlower", "[1d] offset 1h", "[1d]"],
  ["PostgreSQLReplicationLag", "> 60", ">= 0"],
  ["PostgreSQLReplicationLag", "== 1", "== 0"],
  ["PostgreSQLRoleChanged", "> 0", ">= 0"],
  ["PostgreSQLOutOfMemory", "> 0", ">= 0"],
  ["PostgreSQLRulesFailing", "> 0", ">= 0"],
  ["PostgreSQLReloadFailed", "== 0", "== 1"],
];
