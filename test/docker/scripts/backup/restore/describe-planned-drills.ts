import { describe, expect, it } from "vitest";
import type { EvidencePosition } from "../../../../../scripts/backup/drill/evidence.ts";
import type { NotDue } from "../../../../../scripts/backup/drill/planned.ts";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../../scripts/docker/run-in-container.ts";
import type { BackedUpShop } from "../../../backed-up-shop.ts";

const docker = dockerClient();

/** Drills that are planned once a year, at the end of which none of these tests run. */
const drill = { schedule: "59 23 31 12 *", required: true };

/**
 * Defines the tests of planned drills.
 *
 * @param shop returns a stack with a sound backup, whose last drill has failed
 */
export function describePlannedDrills(shop: () => BackedUpShop): void {
  describe("planned drills", () => {
    const record = "/repository/pgroundwork/drills.json";
    /** Makes all recorded drills old: those of commands, and those of the container. */
    const age = async () => {
      const old = `sed -i 's/"startedAt": *"[^"]*"/"startedAt":"2020-01-01T00:00:00.000Z"/g'`;
      await shop().onRepository(`${old} ${record}`);
      await inDrill("sh", "-c", `cd /var/lib/pgroundwork/evidence && [ ! -e drills.json ] || ${old} drills.json`);
    };
    const inDrill = (...command: string[]) => runInContainer(docker, `${shop().prefix}-drill`, { command });
    const coffee = async () => {
      const [{ found } = { found: false }] = await shop().query<{ found: boolean }>(
        "superuser",
        "select exists (select from product where id = 9001) as found",
      );
      return found;
    };

    it("that failed let up change settings with a warning, and refuse changes of data before any", async () => {
      const backups = { ...(shop().settings.backups as object), drill };
      await shop().configure({ ...shop().settings, backups });
      const warned = await shop().succeed("up");
      expect(warned.stderr).toMatch(
        /warning: The last restore drill, started at \S+, has failed: .*missing from the archive/,
      );
      await shop().clone.write(
        "migrations/shop/seeds/reference/020-more.sql",
        "--! Title: more\n\ninsert into product (id, name, price) values (9001, 'more', 1) on conflict (id) do nothing;\n",
      );
      const refused = await shop().pgw("up");
      expect([refused.code, refused.stderr]).toEqual([
        3,
        expect.stringMatching(/requires a current drill before its data is changed \(update [^)]*seeds[^)]*\)/),
      ]);
      expect(refused.stderr).toContain(`    npm run pgw -- backup drill --stack ${shop().stack}`);
      expect(await coffee()).toBe(false);
    });

    it("run if one is due, and then let up change data", async () => {
      const due = () => shop().pgw("backup", "drill", "--due", "--json");
      const early = await due();
      const notDue = JSON.parse(early.stdout) as NotDue;
      expect([early.code, notDue]).toMatchObject([0, { due: false, state: "failed" }]);
      expect(notDue.next).toMatch(/-12-31T23:59:00/);
      await age();
      const ran = await due();
      expect([ran.code, JSON.parse(ran.stdout)]).toMatchObject([0, { outcome: "passed" }]);
      expect((await due()).stdout).toContain('"state": "current"');
      const { stdout: metrics } = await shop().inSidecar("cat", "/var/lib/pgroundwork/metrics/drill.prom");
      expect(metrics).toContain('\npgroundwork_backup_drill_passed{stanza="main"} 1\n');
      const { stderr } = await shop().succeed("up");
      expect(stderr).not.toContain("restore drill");
      expect(await coffee()).toBe(true);
    });

    it("run in the stack's own container, and up copies number and hash of the newest evidence into the state", async () => {
      const ran = await inDrill("restore-drill");
      expect(ran, ran.stdout).toMatchObject({ code: 0, stdout: expect.stringMatching(/run 1: passed after/) });
      const { HostConfig, Mounts } = await shop().inspected("drill");
      expect(HostConfig.NetworkMode).toBe("none");
      expect(Mounts.find(({ Destination }) => Destination === "/var/lib/pgbackrest")?.RW).toBe(false);
      await shop().succeed("up");
      const { stdout } = await shop().succeed("backup", "evidence", "copy", "copied", "--json");
      const { newest } = JSON.parse(stdout) as { newest: EvidencePosition };
      expect(newest.number).toBe(1);
      const args = ["--public-key", "copied/drill.key.pub", "--newest", `1:${newest.hash}`];
      const verified = await shop().clone.pgw("backup", "evidence", "verify", "copied", ...args);
      expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining("no fault found")]);
      await inDrill("rm", "/var/lib/pgroundwork/evidence/000001.json");
      const { stderr } = await shop().succeed("preview");
      expect(stderr).toContain("all runs are missing; run 1 was there");
    });

    it("in the stack's own container fail if a file of the backup was removed or cut off, and pass again", async () => {
      const { found } = await shop().list();
      const [full = ""] = found.backups[0]?.label.split("_") ?? [];
      const file = `/repository/backup/main/${full}/bundle/1`;
      const damages: [string, RegExp][] = [
        [`rm ${file}`, /unable to open missing file .*bundle\/1/],
        [`truncate --size=1000 ${file}`, /unable to flush|cipher header/],
      ];
      for (const [damage, reason] of damages) {
        await shop().onRepository(`cp -a ${file} /repository/whole && ${damage}`);
        // pgBackRest would wait before it tries again.
        const { code, stdout } = await inDrill("env", "PGBACKREST_JOB_RETRY=0", "restore-drill");
        await shop().onRepository(`mv /repository/whole ${file}`);
        expect([code, stdout]).toEqual([5, expect.stringMatching(/run \d+: failed after .*Cannot restore the backup/)]);
        expect(stdout).toMatch(reason);
      }
      expect((await inDrill("restore-drill")).code).toBe(0);
    });

    it("that are overdue let up start a stopped server, and are reported by preview", async () => {
      await age();
      await shop().succeed("down");
      const { stderr } = await shop().succeed("up");
      expect(stderr).toContain("The last restore drill that passed started at 2020-01-01T00:00:00.000Z");
      const previewed = await shop().succeed("preview");
      expect(previewed.stderr).toContain("The last restore drill that passed started at 2020-01-01T00:00:00.000Z");
      await shop().onRepository(`echo '{' >${record}`);
      const damaged = await shop().succeed("preview");
      expect(damaged.stderr).toContain(
        "The state of restore drills is not known: The record of restore drills is damaged",
      );
      expect((await shop().pgw("backup", "drill", "--due")).code).toBe(1);
    });
  });
}
