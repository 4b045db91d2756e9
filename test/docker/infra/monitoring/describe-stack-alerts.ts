import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { drillMetrics } from "../../../../scripts/backup/drill/metrics.ts";
import type { DrillRun } from "../../../../scripts/backup/drill/run.ts";
import { writeMetrics } from "../../../../scripts/backup/repository-file.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import type { Prometheus } from "../../prometheus.ts";
import type { DockerStack } from "../../stack.ts";
import { type LowerLimit, withLowerLimits } from "../lower-limits.ts";

const docker = dockerClient();
const polling = { timeout: 90_000, interval: 500 };

/** A restore drill that has just passed. */
export const passedDrill: DrillRun = {
  ...{ startedAt: new Date().toISOString(), seconds: 60, outcome: "passed", reasons: [], missed: [] },
  ...{ rtoSeconds: 30, rpoSeconds: 5, evidence: null },
};

/** Writes the metrics of the last drills, as a drill does at its end. */
export function recordDrills(shop: DockerStack, last: DrillRun, conclusive = last): Promise<void> {
  const record = { last, lastConclusive: conclusive, lastPassed: passedDrill };
  return writeMetrics(docker, `${shop.prefix}-backup`, "drill.prom", drillMetrics(record));
}

/**
 * Defines the tests of alerts on backups, drills, dumps, jobs and the monitoring itself.
 *
 * @param stack returns a stack with backups, dumps, jobs and a health server, whose alerts fire at once
 */
export function describeStackAlerts(stack: () => { shop: DockerStack; prometheus: Prometheus }): void {
  describe("alerts", () => {
    const firing = () => stack().prometheus.firing();
    const fire = (...alerts: string[]) => expect.poll(firing, polling).toEqual(expect.arrayContaining(alerts));
    const endings: (() => Promise<unknown>)[] = [];
    const atEnd = (...ending: (() => Promise<unknown>)[]) => endings.push(...ending);
    afterEach(async () => {
      for (const end of endings.splice(0)) await end();
    });

    it("report a restore drill that failed, that missed an objective, and that could not run", async () => {
      const { shop } = stack();
      atEnd(() => recordDrills(shop, passedDrill));
      const failed: DrillRun = { ...passedDrill, outcome: "failed", missed: ["RTO"] };
      await recordDrills(shop, { ...passedDrill, outcome: "could not run" }, failed);
      await fire("PostgreSQLBackupObjectiveMissed", "PostgreSQLDrillCouldNotRun", "PostgreSQLDrillFailed");
    });

    const psql = async (database: string, sql: string) => {
      const command = ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql];
      const { code, stderr } = await runInContainer(docker, stack().shop.server, { command });
      expect(code, stderr).toBe(0);
    };
    const inSidecar = async (text: string) => {
      const command = ["sh", "-c", text];
      const { code, stderr } = await runInContainer(docker, `${stack().shop.prefix}-backup`, { command });
      expect(code, stderr).toBe(0);
    };

    it("report a scheduled dump that failed, and one that is damaged", async () => {
      await inSidecar("scheduled-dump run");
      atEnd(
        () => psql("postgres", "alter database shop allow_connections true"),
        () => inSidecar("rm -r $(dirname /var/lib/pgroundwork/dumps/*/damaged) && scheduled-dump run"),
      );
      await inSidecar(`file=$(find /var/lib/pgroundwork/dumps -name 'dump.pgdump*' -type f | head -n 1)
        echo damage >>"$file" && touch "$(dirname "$file")/damaged"`);
      await psql("postgres", "alter database shop allow_connections false");
      await inSidecar("! scheduled-dump run");
      await fire("PostgreSQLDumpDamaged", "PostgreSQLDumpFailed");
    });

    it("report a repository that was never scanned", async () => {
      const folder = "/var/lib/pgroundwork/metrics";
      atEnd(() => inSidecar(`mv ${folder}/aside.* ${folder}/backup-scan.prom`));
      await inSidecar(`mv ${folder}/backup-scan.prom ${folder}/aside.txt`);
      await fire("PostgreSQLBackupUnknown");
    });

    it("report jobs, tables and indexes that monitoring cannot read", async () => {
      atEnd(
        () => psql("postgres", "alter view pgroundwork.renamed rename to job_state"),
        () => psql("shop", "grant select on pg_stat_progress_create_index to public"),
      );
      await psql("postgres", "alter view pgroundwork.job_state rename to renamed");
      await psql("shop", "revoke select on pg_stat_progress_create_index from public");
      await fire("PostgreSQLJobUnknown", "PostgreSQLTablesUnknown");
    });

    it("report an Alertmanager that is stopped", async () => {
      const container = docker.getContainer(`${stack().shop.prefix}-alertmanager`);
      atEnd(() => container.start());
      await container.stop();
      await fire("PostgreSQLAlertmanagerUnknown");
    });

    it("fire by what is measured of backups and snapshots, if the limits are lower", async () => {
      const { shop } = stack();
      const files = { "infra/monitoring/alerts.yml": ofBackups, "infra/monitoring/health-alerts.yml": ofHealth };
      for (const [path, limits] of Object.entries(files)) {
        const rules = await readFile(join(shop.clone.root, path), "utf8");
        atEnd(() => shop.clone.write(path, rules));
        await shop.clone.write(path, withLowerLimits(rules, limits));
      }
      atEnd(() => shop.succeed("up"));
      await shop.succeed("up");
      await fire(...[...ofBackups, ...ofHealth].map(([rule]) => rule));
    });
  });
}

const longAgo = "> -1e9";

const ofBackups: LowerLimit[] = [
  ["PostgreSQLArchiveBehind", "> 300", ">= 0"],
  ["PostgreSQLArchiveLagUnknown", "> 300", longAgo],
  ["PostgreSQLBackupTooOld", "(2 *", "(0 *"],
  ["PostgreSQLBackupInFuture", "> 300", longAgo],
  ["PostgreSQLBackupDamaged", "> 0", ">= 0"],
  ["PostgreSQLBackupScanStale", "> 10800", longAgo],
  ["PostgreSQLDrillOverdue", "> 300", longAgo],
  ["PostgreSQLDumpOverdue", "> 300", longAgo],
];

const ofHealth: LowerLimit[] = [["HealthSnapshotStale", "> 600", longAgo]];
