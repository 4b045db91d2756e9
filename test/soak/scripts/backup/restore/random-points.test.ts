import { beforeAll, describe, expect, it } from "vitest";
import type { RequestedPoint } from "../../../../../scripts/backup/restore/request.ts";
import { restoreBackup } from "../../../../../scripts/backup/restore/restore.ts";
import type { StackBackups } from "../../../../../scripts/backup/stack-backups.ts";
import { parseLsn } from "../../../../../scripts/backup/wal.ts";
import { displayTime, formatTime, parseTime } from "../../../../../scripts/backup/window/microseconds.ts";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { ownHolder } from "../../../../../scripts/docker/scratch-holder.ts";
import { type BackedUpShop, makeBackedUpShop } from "../../../../docker/backed-up-shop.ts";
import { soakFirst, soakRandom, soakRuns } from "../../../random.ts";

const docker = dockerClient();
const count = 300;

interface Commit {
  n: number;
  xid: bigint;
  at: bigint;
  /** Position of the restore point after it. */
  lsn: bigint;
}

describe("a restore to a random point among commits that are 10 ms apart", () => {
  let shop: BackedUpShop;
  let backups: StackBackups;
  let commits: Commit[];

  beforeAll(async () => {
    const never = "0 0 29 2 *";
    const postgresql = { track_commit_timestamp: "on", autovacuum: "off" };
    shop = await makeBackedUpShop({ postgresql, backups: { full: never, incremental: never } });
    await shop.succeed("up");
    await shop.untilFirstBackup();
    backups = await shop.location();
    // Each row holds the position of the restore point after the commit before it.
    await shop.sql(
      "create table moment (n int, before pg_lsn)",
      `do $$
       declare point pg_lsn;
       begin
         for n in 1..${count} loop
           insert into moment values (n, point);
           commit;
           point := pg_create_restore_point('point ' || n);
           perform pg_sleep(0.01);
         end loop;
       end $$`,
      "select pg_switch_wal()",
    );
    const time = "to_char(pg_xact_commit_timestamp(xmin) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC'";
    const rows = await shop.sql(
      `select n || ',' || xmin || ',' || ${time} || ',' || coalesce(before::text, '') from moment order by n`,
    );
    const read = rows.split("\n").map((line) => line.split(","));
    commits = read.map(([n = "", xid = "", at = ""], index) => ({
      ...{ n: Number(n), xid: BigInt(xid), at: parseTime(at) },
      lsn: parseLsn(read[index + 1]?.[3] || "0/0"),
    }));
    expect((await shop.inSidecar("pgbackrest", "check")).code).toBe(0);
  });

  it("has the last commit at or before the target, not the next one, and names both", async () => {
    const random = soakRandom();
    const kinds = ["time", "xid", "lsn", "restore-point"] as const;
    for (let run = 0; run < soakFirst() + soakRuns(20); run += 1) {
      const kind = kinds[run % kinds.length] ?? "time";
      // Not the first and not the last one, which have no neighbour.
      const index = 1 + Math.floor(random() * (count - 3));
      const [isInclusive, part] = [random() < 0.5, random()];
      if (run < soakFirst()) continue;
      const [one, next] = [commits[index], commits[index + 1]];
      if (one === undefined || next === undefined) throw new Error(`no commit ${index}`);
      // A time between both commits, or exactly that of the first one.
      const between = one.at + BigInt(Math.floor(part * Number(next.at - one.at)));
      const targets: Record<typeof kind, [RequestedPoint["target"], boolean]> = {
        time: [{ kind: "time", text: displayTime(isInclusive ? between : one.at) }, isInclusive],
        xid: [{ kind: "xid", xid: one.xid }, isInclusive],
        lsn: [{ kind: "lsn", lsn: one.lsn }, true],
        "restore-point": [{ kind: "restore-point", name: `point ${one.n}` }, true],
      };
      const [target, inclusive] = targets[kind];
      const last = inclusive ? index : index - 1;
      const name = `${shop.prefix}-random-${run}`;
      const restored = await restoreBackup(docker, backups, {
        ...{ to: { kind: "volume", name }, point: { target, inclusive }, holder: await ownHolder() },
        ...{ recoverySeconds: 300, signal: new AbortController().signal, onStep: () => {} },
      });
      await docker.getVolume(name).remove();
      const tables = restored.databases.find(({ database }) => database === "shop")?.tables ?? [];
      const found = [
        tables.find(({ table }) => table === "public.moment")?.rows,
        restored.point?.lastIncluded?.at,
        restored.point?.firstNotIncluded?.at,
      ];
      const [included, excluded] = [commits[last], commits[last + 1]];
      const what = `run ${run}: ${kind} of commit ${one.n}, ${inclusive ? "with" : "without"} it`;
      expect(found, what).toEqual([included?.n, formatTime(included?.at ?? 0n), formatTime(excluded?.at ?? 0n)]);
      process.stderr.write(`${what}: ok\n`);
    }
  });
});
