import { beforeAll, describe, expect, it } from "vitest";
import { createBackup } from "../../../../../scripts/backup/create.ts";
import { countLostCommits } from "../../../../../scripts/backup/restore/in-place/lost-commits.ts";
import type { RequestedPoint } from "../../../../../scripts/backup/restore/request.ts";
import { type Restored, restoreBackup } from "../../../../../scripts/backup/restore/restore.ts";
import { readTargetTime } from "../../../../../scripts/backup/restore/target-time.ts";
import { paths, type StackBackups } from "../../../../../scripts/backup/stack-backups.ts";
import { defaultSegmentBytes, formatLsn, parseLsn } from "../../../../../scripts/backup/wal.ts";
import { displayTime, formatTime, parseTime } from "../../../../../scripts/backup/window/microseconds.ts";
import { findWindow } from "../../../../../scripts/backup/window/window.ts";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { withScratchContainer } from "../../../../../scripts/docker/scratch-container.ts";
import { ownHolder } from "../../../../../scripts/docker/scratch-holder.ts";
import { commit as commitFiles, shopDrafts } from "../../../../embedded/infra/program/shop.ts";
import { hostileSettings } from "../../../../hostile-settings.ts";
import { type BackedUpShop, makeBackedUpShop } from "../../../backed-up-shop.ts";

const docker = dockerClient();

interface Commit {
  n: number;
  xid: bigint;
  /** Time with zone, as `--time` takes it. */
  text: string;
  /** UTC with microseconds, as a restore reports it. */
  at: string;
}

/**
 * Defines the tests of restores to a point in time.
 *
 * @param every also restores to points of a kind that another restore covers; each takes many seconds
 */
export function describePoints(every: boolean): void {
  describe("a restore to a point in time", () => {
    let shop: BackedUpShop;
    let backups: StackBackups;
    let first: string;
    let beforeSix: string;
    let restores = 0;
    const commits: Commit[] = [];

    const untilItAnswers = () =>
      shop.until("the server answers and is not in recovery", async () => {
        const { stdout } = await shop.inServer("psql", "-XqAt", "-c", "select pg_is_in_recovery()");
        return stdout.trim() === "f";
      });

    /** Commits a number, and returns its commit. */
    const commit = async (n: number): Promise<Commit> => {
      const format = `to_char(pg_xact_commit_timestamp(xmin) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`;
      const found = await shop.sql(
        `insert into moment values (${n})`,
        `select xmin || ',' || ${format} from moment where n = ${n}`,
      );
      const [xid = "", time = ""] = found.split(",");
      return { n, xid: BigInt(xid), text: `${time} UTC`, at: formatTime(parseTime(`${time} UTC`)) };
    };
    /** Creates a restore point that is the first record of its segment, and returns its name. */
    const markSegment = async (name: string) => {
      for (let n = 1; n <= 10; n++) {
        const end = await shop.sql("select pg_switch_wal()", `select pg_create_restore_point('${name} (${n})')`);
        const [headerOfSegment, record] = [40n, 104n];
        const inSegment = parseLsn(end.split("\n")[1] ?? "") % BigInt(defaultSegmentBytes);
        if (inSegment === headerOfSegment + record) return `${name} (${n})`;
      }
      throw new Error("another record was first in each segment");
    };
    const nth = (n: number) => {
      const found = commits.find((each) => each.n === n);
      if (found === undefined) throw new Error(`no commit ${n}`);
      return found;
    };
    const commitsLost = (count: number) => ({ known: true, count, isLeast: false });
    const atTime = (text: string) => ({ kind: "time" as const, text });

    const request = async (name: string, point: RequestedPoint) => {
      const { signal } = new AbortController();
      const to = { kind: "volume" as const, name };
      return { to, point, holder: await ownHolder(), recoverySeconds: 120, signal, onStep: () => {} };
    };
    /** Restores to a volume that is removed again, and returns the commits around the point and the restored rows. */
    const restoreWith = async (run: (volume: string) => Promise<Restored>) => {
      const volume = `${shop.prefix}-point-${restores++}`;
      const restored = await run(volume);
      await docker.getVolume(volume).remove();
      expect(restored.incompleteReason).toBeUndefined();
      const tables = restored.databases.find(({ database }) => database === "shop")?.tables ?? [];
      return {
        ...restored,
        around: [
          tables.find(({ table }) => table === "public.moment")?.rows,
          restored.point?.lastIncluded?.at,
          restored.point?.firstNotIncluded?.at,
        ],
      };
    };
    const restore = async (target: RequestedPoint["target"], options: Partial<RequestedPoint> = {}) => {
      const point = { target, inclusive: true, ...options };
      return restoreWith(async (volume) => restoreBackup(docker, backups, await request(volume, point)));
    };
    const restoreByCommand = async (...target: string[]) =>
      restoreWith(async (volume) => {
        const { stdout } = await shop.succeed("backup", "restore", "--json", "--to-volume", volume, ...target);
        return JSON.parse(stdout) as Restored;
      });
    /** Returns whether the table of the migration 000003 exists before a migration, and the number of commits. */
    const restoreBefore = async (number: string) => {
      const restored = await restoreByCommand("--before-migration", number, "--database", "shop");
      const { tables = [] } = restored.databases.find(({ database }) => database === "shop") ?? {};
      return [tables.some(({ table }) => table === "public.note"), restored.around[0]];
    };
    /** Returns the message of a restore that is refused. No volume was created. */
    const refusal = async (target: RequestedPoint["target"], options: Partial<RequestedPoint> = {}) => {
      const volume = `${shop.prefix}-refused`;
      const point = { target, inclusive: true, ...options };
      const refused = restoreBackup(docker, backups, await request(volume, point));
      const error = await refused.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      await expect(docker.getVolume(volume).inspect()).rejects.toThrow(/no such volume/);
      expect(error).toMatchObject({ exitCode: 2 });
      return (error as { text: string }).text;
    };

    beforeAll(async () => {
      // No commits but those of the tests.
      const postgresql = { ...hostileSettings, track_commit_timestamp: "on", autovacuum: "off" };
      shop = await makeBackedUpShop({ postgresql });
      await shop.succeed("up");
      await shop.untilFirstBackup();
      backups = await shop.location();
      await shop.sql("create table moment (n int)");
      first = (await createBackup(docker, shop.sidecar, "full")).label;
      // More connections than the scratch server's configuration has: recovery must not depend on it.
      await shop.sql("alter system set max_connections = 60");
      await docker.getContainer(shop.server).restart();
      await untilItAnswers();
      for (const n of [1, 2, 3, 4, 5]) commits.push(await commit(n));
      beforeSix = await markSegment("before six");
      await shop.sql("select pg_create_restore_point('twice')");
      commits.push(await commit(6));
      await shop.sql("select pg_create_restore_point('twice')");
    });

    it("stops at the microsecond of a commit", async () => {
      const three = nth(3);
      const included = await restore(atTime(three.text));
      expect(included.around).toEqual([3, three.at, nth(4).at]);
      expect(included.backup).toBe(first);
      // The commits 4, 5 and 6. The last one is not archived.
      expect(await countLostCommits(docker, backups, included.reached)).toEqual(commitsLost(3));
    });

    if (every)
      it("stops just before the microsecond of a commit", async () => {
        const excluded = await restore(atTime(nth(3).text), { inclusive: false });
        expect(excluded.around).toEqual([2, nth(2).at, nth(3).at]);
      });

    it("stops after a transaction, at a restore point, or before a position", async () => {
      const byNumber = await restoreByCommand("--xid", String(nth(4).xid));
      expect(byNumber.around).toEqual([4, nth(4).at, nth(5).at]);
      const byName = await restoreByCommand("--restore-point", beforeSix);
      expect(byName.around).toEqual([5, nth(5).at, nth(6).at]);
      const lsn = byNumber.point?.firstNotIncluded?.lsn ?? "";
      expect((await restoreByCommand("--lsn", lsn, "--exclusive")).around).toEqual(byNumber.around);
    });

    it("gives the state of the last commit for a later time that the window has", async () => {
      await shop.sql("select pg_switch_wal()");
      await shop.until("the window ends after the last commit", async () => {
        const { timelines, findings } = await findWindow(docker, backups);
        expect(findings).toEqual([]);
        return (timelines[0]?.ranges[0]?.to.at ?? 0n) > parseTime(nth(6).text) + 1_000n;
      });
      const { stdout } = await shop.succeed("backup", "window", "--json");
      const { timelines } = JSON.parse(stdout) as {
        timelines: { ranges: { to: { time: string }; backups: string[] }[]; gaps: [] }[];
      };
      const [range] = timelines[0]?.ranges ?? [];
      expect([timelines.length, timelines[0]?.gaps, range?.backups.includes(first)]).toEqual([1, [], true]);
      const volume = `${shop.prefix}-later`;
      const args = ["--to-volume", volume, "--time", range?.to.time ?? ""];
      const { stdout: text } = await shop.succeed("backup", "restore", ...args);
      await docker.getVolume(volume).remove();
      expect(text).toContain(`last included       transaction ${nth(6).xid}, committed at ${nth(6).at}, `);
      expect(text).toContain("first not included  none in the archive\n");
    });

    it("is refused for a time without a zone, which is shown read as UTC and as local time", async () => {
      shop.clone.env.TZ = "Asia/Tokyo";
      const args = ["--to-volume", `${shop.prefix}-no-zone`, "--time", "2026-11-29 12:00:00"];
      const { code, stderr } = await shop.pgw("backup", "restore", ...args);
      delete shop.clone.env.TZ;
      expect(code).toBe(2);
      expect(stderr).toContain(
        "error: --time 2026-11-29 12:00:00 has no time zone. Read as UTC, it is 2026-11-29 12:00:00.000000 UTC. " +
          "Read as local time (Asia/Tokyo), it is 2026-11-29 03:00:00.000000 UTC.\n",
      );
      expect(await refusal(atTime("2026-11-29 12:00 UTC+2"))).toContain("PostgreSQL counts it westwards");
      expect(await refusal(atTime("2026-11-29 12:00 Atlantis"))).toContain("is not a time that PostgreSQL can read");
      expect(await refusal(atTime("yesterday"))).toContain("--time yesterday is not a time.");
      // Without a running server, PostgreSQL answers in single-user mode.
      const place = { server: `${shop.prefix}-no-server`, container: shop.sidecar };
      const summer = await readTargetTime(docker, place, "2026-07-01 12:00:00.000001 Europe/Berlin");
      expect(displayTime(summer)).toBe("2026-07-01 10:00:00.000001 UTC");
      const unreadable = readTargetTime(docker, place, "2026-07-01 12:00 Atlantis");
      await expect(unreadable).rejects.toThrow("is not a time that PostgreSQL can read");
    });

    it("is refused outside the window, with the window in the message", async () => {
      const [range] = (await findWindow(docker, backups)).timelines[0]?.ranges ?? [];
      const window = `the backups can restore from ${displayTime(range?.from.at ?? 0n)} to `;
      expect(await refusal(atTime("2020-01-01 00:00:00+01"))).toContain(window);
      expect(await refusal(atTime("2199-01-01 00:00:00+01"))).toContain(window);
      expect(await refusal({ kind: "lsn", lsn: 1n })).toContain(
        `can restore from ${formatLsn(range?.from.lsn ?? 0n)} to`,
      );
      expect(await refusal({ kind: "xid", xid: 4_000_000_000n })).toContain("The transaction 4000000000 cannot be");
      const twice = await refusal({ kind: "restore-point", name: "twice" });
      expect(twice).toMatch(/exists 2 times.*\n.*--lsn \S+ or --lsn \S+/);
      expect(await refusal({ kind: "xid", xid: 1n }, { timeline: 9 })).toContain("no timeline 9");
    });

    it("stops just before a migration, which left a mark in the WAL", async () => {
      const added = (name: string, body: string) => ({ name, body });
      const files = [
        ...shopDrafts,
        added("note", "create table note (id int primary key);"),
        added("note-text", "--! no-transaction\nalter table note add column text text;"),
      ];
      await commitFiles(shop.clone, files);
      await shop.succeed("migrate", "up", "--database", "shop");
      await shop.inSidecar("pgbackrest", "check");
      // The command adds the zeros.
      expect(await restoreBefore("3")).toEqual([false, 6]);
      const wanted = { kind: "before-migration" as const, number: "000003", database: "sho" };
      expect(await refusal(wanted)).toContain('before the migration 000003 of the database "sho" cannot be restored');
    });

    it("stops just before migrations were reverted: migrate down makes a restore point first", async () => {
      await shop.clone.write("migrations/shop/committed/000004-note-text.down.sql", "drop table note;\n");
      const { stdout, stderr } = await shop.succeed("migrate", "down", "--database", "shop", "--yes", "--json");
      const { backup } = JSON.parse(stdout) as { backup: { kind: string; name: string; restore: string } };
      expect(backup).toMatchObject({ kind: "restore-point", name: expect.stringMatching(/^before_down_/) });
      expect(backup.restore).toBe(
        `npm run pgw -- backup restore --in-place --restore-point ${backup.name} --stack ${shop.stack}`,
      );
      expect(stderr).toContain(`  ${backup.restore}\n`);
      expect(await shop.sql("select to_regclass('note') is null")).toBe("t");
      const restored = await restore({ kind: "restore-point", name: backup.name });
      const { tables = [] } = restored.databases.find(({ database }) => database === "shop") ?? {};
      expect(tables.map(({ table }) => table)).toContain("public.note");
    });

    it("has a database of which the drop had not committed, with its rows", async () => {
      // A drop that failed long ago leaves such a database too, and no restore can change that.
      await shop.sql(
        "create database failed",
        "update pg_database set datconnlimit = -2 where datname = 'failed'",
        "create database dropped",
      );
      const inDropped = ["psql", "-d", "dropped", "-c", "create table t as select generate_series(1, 7)"];
      expect((await shop.inServer(...inDropped)).code).toBe(0);
      await shop.sql("drop database dropped");
      const time = "to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')";
      const dropped = await shop.sql(`select ${time} || ' UTC' from pg_last_committed_xact()`);
      const steps: string[] = [];
      const restored = await restoreWith(async (volume) => {
        const point = { target: atTime(dropped), inclusive: false };
        const onStep = (step: string) => void steps.push(step);
        return restoreBackup(docker, backups, { ...(await request(volume, point)), onStep });
      });
      const [found] = restored.databases.filter(({ database }) => database === "dropped");
      expect(found?.tables).toMatchObject([{ table: "public.t", rows: 7 }]);
      expect(restored.unproven).toEqual([{ database: "failed", reason: expect.stringContaining("DROP DATABASE") }]);
      expect(restored.point?.firstNotIncluded?.at).toBe(formatTime(parseTime(dropped)));
      const again = "restoring again, to just before a DROP DATABASE that had not committed";
      expect(steps).toContain(again);
      steps.length = 0;
      await restoreWith(async (volume) => {
        const point = { target: atTime(dropped), inclusive: true };
        const onStep = (step: string) => void steps.push(step);
        return restoreBackup(docker, backups, { ...(await request(volume, point)), onStep });
      });
      expect(steps).not.toContain(again);
      await shop.sql("drop database failed");
    });

    if (every)
      it("stops just before a migration without a transaction", async () => {
        expect(await restoreBefore("000004")).toEqual([true, 6]);
      });

    it("uses the backup before a full one that was running, and is refused once that has expired", async () => {
      let isDone = false;
      const made = createBackup(docker, shop.sidecar, "full").finally(() => {
        isDone = true;
      });
      for (let n = 7; !isDone; n++) commits.push(await commit(n));
      const second = await made;
      const during = commits.findLast(({ at }) => at < second.finishedAt);
      if (during === undefined || during.at < second.startedAt) throw new Error("nothing was committed meanwhile");
      const restored = await restore(atTime(during.text));
      expect([restored.backup, restored.around.slice(0, 2)]).toEqual([first, [during.n, during.at]]);

      for (const { label } of (await shop.list()).found.backups.filter(({ label }) => label !== second.label))
        expect((await shop.inSidecar("pgbackrest", "expire", `--set=${label}`)).code).toBe(0);
      const [range] = (await findWindow(docker, backups)).timelines[0]?.ranges ?? [];
      expect(range?.backups).toEqual([second.label]);
      expect(range?.from.at).toBeGreaterThanOrEqual(parseTime(second.finishedAt));
      expect(await refusal(atTime(during.text))).toContain(`can restore from ${displayTime(range?.from.at ?? 0n)} to`);
    });

    it("is refused in a gap of the archive, which the window shows", async () => {
      const archive = "/repository/archive/main/17-1";
      const ownSegment = async (n: number) => {
        commits.push(await commit(n));
        return shop.sql("select pg_walfile_name(pg_switch_wal())");
      };
      await ownSegment(101);
      const segment = await ownSegment(102);
      await ownSegment(103);
      const third = await createBackup(docker, shop.sidecar, "full");
      commits.push(await commit(104));
      await shop.onRepository(`mv ${archive}/*/${segment}-* /repository/`);
      const { timelines } = await findWindow(docker, backups);
      expect(timelines).toMatchObject([{ gaps: [{ segment }], ranges: [{}, { backups: [third.label] }] }]);
      const [gap] = timelines[0]?.gaps ?? [];
      const order = [
        nth(101).at,
        formatTime(gap?.from.at ?? 0n),
        nth(102).at,
        nth(103).at,
        formatTime(gap?.to?.at ?? 0n),
      ];
      expect(order.toSorted()).toEqual(order);
      expect(await refusal(atTime(nth(102).text))).toContain(", and from ");
      expect(await refusal({ kind: "xid", xid: nth(103).xid })).toContain("cannot be restored");
      const before = await restore(atTime(nth(101).text));
      expect(before.around.slice(1)).toEqual([nth(101).at, undefined]);
      await shop.onRepository(`mv /repository/${segment}-* ${archive}/${segment.slice(0, 16)}/`);
    });

    it("needs a timeline for a target that an abandoned timeline has, too", async () => {
      for (const n of [201, 202, 203]) commits.push(await commit(n));
      await shop.sql("select pg_switch_wal()");
      await shop.inSidecar("pgbackrest", "check");
      // The cluster goes back to 201 in place.
      await docker.getContainer(shop.server).stop({ t: 60 });
      const target = ["--type=xid", `--target=${nth(201).xid}`, "--target-action=promote"];
      const command = ["pgbackrest", `--config=${paths.configuration}/pgbackrest.conf`, "--stanza=main", "--delta"];
      const { owner, image, volumes } = backups;
      const spec = {
        ...{ owner, image, command: [...command, ...target, "restore"], user: "postgres" },
        volumes: { [paths.cluster]: volumes.data },
        readOnlyVolumes: { [paths.repository]: volumes.repository, [paths.configuration]: volumes.configuration },
      };
      await withScratchContainer(docker, spec, async (container) => {
        await container.start();
        expect(await container.wait()).toMatchObject({ StatusCode: 0 });
      });
      await docker.getContainer(shop.server).start();
      await untilItAnswers();
      const back = await commit(301);
      await shop.sql("select pg_switch_wal()");
      await shop.inSidecar("pgbackrest", "check");

      expect(await refusal(atTime(nth(202).text))).toMatch(/is ambiguous: the timelines 2 and 1 .*\n.*--timeline 2 or/);
      expect(await refusal({ kind: "xid", xid: nth(203).xid })).toContain(
        "is not on the current timeline 2, but on 1.",
      );
      const abandoned = await restoreByCommand("--time", nth(202).text, "--timeline", "1");
      expect(abandoned.around.slice(1)).toEqual([nth(202).at, nth(203).at]);
      // Only the commit 301 is on the current timeline, and not on the abandoned one.
      expect(await countLostCommits(docker, backups, abandoned.reached)).toEqual(commitsLost(1));
      // The new timeline continued with the number of a transaction of the abandoned one.
      expect(await refusal({ kind: "xid", xid: back.xid })).toContain(`The transaction ${back.xid} is ambiguous`);
      const after = await restore({ kind: "xid", xid: back.xid }, { timeline: 2 });
      expect(after.around.slice(1)).toEqual([back.at, undefined]);
      const { current, timelines } = await findWindow(docker, backups);
      expect([current, timelines.map(({ timeline, parent }) => [timeline, parent?.timeline])]).toEqual([
        2,
        [
          [1, undefined],
          [2, 1],
        ],
      ]);
    });

    if (every)
      it("needs no timeline for a target from before the timelines parted", async () => {
        const before = await restore(atTime(nth(104).text));
        expect([before.around.slice(1), before.point?.timeline]).toEqual([[nth(104).at, nth(201).at], 2]);
      });
  });
}
