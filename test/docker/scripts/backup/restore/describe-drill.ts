import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Drill } from "../../../../../scripts/backup/drill/drill.ts";
import type { EvidencePosition, VerifiedEvidence } from "../../../../../scripts/backup/drill/evidence.ts";
import { drillBackup } from "../../../../../scripts/programs/backups.ts";
import { type BackedUpShop, damageMiddle } from "../../../backed-up-shop.ts";

/**
 * Defines the tests of restore drills.
 *
 * @param shop returns a stack whose newest backup is the full one of `label`
 * @param leftOvers returns the scratch containers and volumes of the stack
 */
export function describeDrill(shop: () => BackedUpShop, label: () => string, leftOvers: () => Promise<string[]>): void {
  describe("backup drill", () => {
    const drill = async (...args: string[]) => {
      const { code, stdout } = await shop().pgw("backup", "drill", "--json", ...args);
      expect(await leftOvers()).toEqual([]);
      return { code, drilled: JSON.parse(stdout) as Drill & { evidence?: EvidencePosition } };
    };
    const signed = ["--evidence", "drills", "--key", "drill.key"];
    const verify = async (...args: string[]) => {
      const command = ["backup", "evidence", "verify", "drills", "--public-key", "drill.key.pub", "--json", ...args];
      const { code, stdout } = await shop().clone.pgw(...command);
      return { code, verified: JSON.parse(stdout) as VerifiedEvidence };
    };

    it("passes on a sound backup, with what it proved and measured", async () => {
      await shop().clone.write("migrations/shop/checks/010-prices.sql", "select id from product where price < 0");
      const [{ rows } = { rows: 0 }] = await shop().query<{ rows: number }>(
        "superuser",
        "select count(*)::int as rows from product",
      );
      expect((await shop().clone.pgw("backup", "evidence", "key", "drill.key")).code).toBe(0);
      const { code, drilled } = await drill(...signed);
      expect([code, drilled.outcome, drilled.reasons]).toEqual([0, "passed", []]);
      expect(drilled).toMatchObject({
        backup: label(),
        findings: [],
        migrations: { compared: true, missing: [] },
        rowCounts: { compared: false },
      });
      const database = drilled.databases.find((each) => each.database === "shop");
      expect(database).toMatchObject({ checks: 1 });
      expect(database?.rows).toBeGreaterThanOrEqual(rows);
      // Those of the catalog alone are more than a hundred.
      for (const { amchecked } of drilled.databases) expect(amchecked).toBeGreaterThan(100);
      expect(drilled.migrations).toMatchObject({ count: expect.toSatisfy((count: number) => count > 0) });
      expect(drilled.rtoSeconds).toBeGreaterThan(0);
      expect(drilled.rtoSeconds).toBeLessThan(drilled.seconds);
      expect(drilled.rpoSeconds).toBeGreaterThanOrEqual(0);
      expect(drilled.evidence?.number).toBe(1);
      const { number, hash } = drilled.evidence ?? { number: 0, hash: "" };
      const { code: found, verified } = await verify("--newest", `${number}:${hash}`);
      expect([found, verified]).toMatchObject([0, { runs: 1, newest: { number: 1, hash }, faults: [] }]);
    });

    it("passes for a random moment, which the window has and the result names; it misses no RPO", async () => {
      const { stdout } = await shop().succeed("backup", "window", "--json");
      const { timelines } = JSON.parse(stdout) as {
        timelines: { ranges: { from: { time: string }; to: { time: string } }[] }[];
      };
      const [range] = timelines.at(-1)?.ranges ?? [];
      const drilled = await drillBackup(
        { ...(await shop().location()), objectives: { rpoSeconds: 0.001 } },
        { migrations: join(shop().clone.root, "migrations"), random: true },
      );
      expect([drilled.outcome, drilled.reasons]).toEqual(["passed", []]);
      expect(drilled).toMatchObject({ rpoSeconds: null, objectives: [], migrations: { compared: false } });
      const moments = [range?.from.time ?? "", (drilled.moment ?? "").replace(" ", "T").replace(" UTC", "Z")];
      expect(moments.toSorted()).toEqual(moments);
      const last = drilled.reached?.lastCommitAt;
      if (last != null) expect(last <= (moments[1] ?? "")).toBe(true);
      const { stdout: text } = await shop().succeed("backup", "drill", "--random");
      expect(text).toMatch(/^passed after .*\n(.*\n)*moment +\d{4}-\d\d-\d\d \S+ UTC, drawn at random$/m);
      expect(text).not.toContain("RPO");
      expect(await leftOvers()).toEqual([]);
    });

    it("fails if it takes longer than the objective; an idle server has lost nothing", async () => {
      const drilled = await drillBackup(
        { ...(await shop().location()), objectives: { rtoSeconds: 0.1, rpoSeconds: 0.1 } },
        { migrations: join(shop().clone.root, "migrations") },
      );
      expect(drilled).toMatchObject({
        outcome: "failed",
        objectives: [
          { name: "RTO", allowedSeconds: 0.1, missed: true },
          { name: "RPO", allowedSeconds: 0.1, missed: false },
        ],
      });
      expect(drilled.reasons).toEqual([`the RTO of ${drilled.rtoSeconds} s misses the objective of 0.1 s (0.1s)`]);
      expect(drilled.rpoSeconds).toBeGreaterThan(0.1);
    });

    it("fails if an index was damaged before the backup, and if a check returns rows", async () => {
      const run = (sql: string) => shop().query("superuser", sql);
      await run("create function double(int) returns int language sql immutable as 'select $1 * 2'");
      await run("create table doubled as select 1 as id");
      await run("create index doubled_id on doubled (double(id))");
      await run("create or replace function double(int) returns int language sql immutable as 'select $1 * 3'");
      await shop().clone.write("migrations/shop/checks/020-none.sql", "-- Nothing is doubled\nselect id from doubled");
      // The repository knows that there was a run.
      await shop().clone.shell("rm drills/000001.json");
      const { code, drilled } = await drill(...signed);
      const evidence = await verify();
      expect([drilled.evidence?.number, evidence]).toMatchObject([
        2,
        { code: 5, verified: { runs: 1, faults: [{ code: "missing", number: 1 }] } },
      ]);
      await run("drop table doubled; drop function double");
      await shop().clone.shell("rm migrations/shop/checks/020-none.sql");
      expect([code, drilled.outcome, drilled.reasons]).toEqual([
        5,
        "failed",
        [
          expect.stringMatching(/^shop: Reading public\.doubled_id failed: heap tuple .* lacks matching index tuple/),
          "shop: checks/020-none.sql returned 1 row: Nothing is doubled",
        ],
      ]);
    });

    it("fails if a part of the full backup is damaged", async () => {
      const file = (
        await shop().onRepository(
          `find /repository/backup/main/${label()} -type f -printf '%s %p\\n' | sort -n | tail -1`,
        )
      )
        .trim()
        .replace(/^\d+ /, "");
      await shop().onRepository(`cp -a ${file} /repository/whole && ${damageMiddle(file)}`);
      const { code, drilled } = await drill();
      await shop().onRepository(`mv /repository/whole ${file}`);
      expect([code, drilled]).toMatchObject([
        5,
        {
          outcome: "failed",
          reasons: [expect.stringContaining(`Cannot restore the backup ${label()}. The backup is damaged: `)],
          backup: null,
        },
      ]);
    });

    it("fails if a segment is missing from the archive", async () => {
      const lsn = "select pg_walfile_name(pg_current_wal_lsn()) as name";
      const [{ name } = { name: "" }] = await shop().query<{ name: string }>("superuser", lsn);
      for (const message of ["one", "two"]) {
        await shop().query("superuser", `select pg_logical_emit_message(true, 'test', '${message}')`);
        await shop().query("superuser", "select pg_switch_wal()");
      }
      await shop().inSidecar("pgbackrest", "check");
      const file = (await shop().onRepository(`ls /repository/archive/main/17-1/*/${name}-*`)).trim();
      await shop().onRepository(`mv ${file} /repository/away`);
      const { code, drilled } = await drill();
      await shop().onRepository(`mv /repository/away ${file}`);
      expect([code, drilled.outcome, drilled.reasons[0]]).toEqual([
        5,
        "failed",
        expect.stringContaining(`the segment ${name} is missing from the archive`),
      ]);
    });
  });
}
