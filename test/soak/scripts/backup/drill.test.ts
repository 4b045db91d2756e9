import { beforeAll, describe, expect, it } from "vitest";
import type { Drill } from "../../../../scripts/backup/drill/drill.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import { withScratchContainer } from "../../../../scripts/docker/scratch-container.ts";
import { type BackedUpShop, makeBackedUpShop, never } from "../../../docker/backed-up-shop.ts";
import { soakFirst, soakRandom, soakRuns } from "../../random.ts";

const docker = dockerClient();

describe("restore drills of a stack", () => {
  let shop: BackedUpShop;

  beforeAll(async () => {
    const backups = { full: never, incremental: never, drill: { schedule: "59 23 31 12 *" } };
    shop = await makeBackedUpShop({ backups });
    await shop.succeed("up");
    await shop.untilFirstBackup();
    await shop.sql(
      "create table item (id int primary key, body text, changed int default 0)",
      "create index on item (changed)",
      "insert into item select g, md5(g::text) from generate_series(1, 20000) g",
    );
  });

  /** Runs a drill as a command and one in the stack's container. Returns outcome and reasons of both. */
  const drills = async (): Promise<[outcome: string, reasons: string][]> => {
    const command = await shop.pgw("backup", "drill", "--json");
    const { outcome, reasons } = JSON.parse(command.stdout) as Drill;
    // pgBackRest would wait before it tries again.
    const sidecar = ["env", "PGBACKREST_JOB_RETRY=0", "restore-drill"];
    const { stdout } = await runInContainer(docker, `${shop.prefix}-drill`, { command: sidecar });
    const [, said = stdout] = /^restore-drill: run \d+: (.*)$/m.exec(stdout) ?? [];
    return [
      [outcome, reasons.join("; ")],
      [said.split(" after ")[0] ?? "", said],
    ];
  };
  const switchSegment = async (text: string) => {
    const segment = await shop.sql(
      "select pg_walfile_name(pg_current_wal_lsn())",
      `select pg_logical_emit_message(true, 'soak', '${text}')`,
      "select pg_switch_wal()",
    );
    return segment.split("\n")[0] ?? "";
  };
  const makeBackup = async (type: string) => {
    const { stdout } = await shop.succeed("backup", "create", "--type", type, "--json");
    return (JSON.parse(stdout) as { backup: { label: string } }).backup.label;
  };

  it("pass on data that changes meanwhile, without a false alarm", async () => {
    const random = soakRandom();
    let isDone = false;
    const writing = (async () => {
      for (let n = 1; !isDone; n += 1) {
        const from = Math.floor(random() * 20_000);
        await shop.sql(
          `update item set changed = ${n} where id between ${from} and ${from + 200}`,
          `delete from item where id between ${from} and ${from + 20}`,
          `insert into item select g, md5('${n}') from generate_series(${from}, ${from + 20}) g on conflict do nothing`,
          ...(n % 25 === 0 ? ["vacuum item"] : []),
        );
      }
    })();
    try {
      for (let run = soakFirst(); run < soakFirst() + soakRuns(10); run += 1) {
        if (run % 3 === 0) await makeBackup(run % 2 === 0 ? "full" : "incr");
        expect(await drills(), `run ${run}`).toEqual([
          ["passed", ""],
          ["passed", expect.any(String)],
        ]);
        process.stderr.write(`run ${run}: both drills passed\n`);
      }
    } finally {
      isDone = true;
      await writing;
    }
  });

  /** Changes a byte in the middle half of a file, and returns a function that puts the whole file back. */
  const flipByte = async (file: string, random: () => number) => {
    const size = Number(await shop.onRepository(`stat -c %s ${file}`));
    const at = Math.floor(size * (0.25 + random() / 2));
    const was = Number(await shop.onRepository(`od -An -tu1 -j ${at} -N 1 ${file}`));
    const changed = `\\${(was ^ 0x10).toString(8).padStart(3, "0")}`;
    await shop.onRepository(
      `cp -a ${file} /repository/whole; printf '${changed}' | dd of=${file} bs=1 seek=${at} conv=notrunc 2>/dev/null`,
    );
    return () => shop.onRepository(`mv /repository/whole ${file}`);
  };
  const bundleOf = async (label: string) => `/repository/backup/main/${label}/bundle/1`;
  const archivedFile = async (name: string) => {
    expect((await shop.inSidecar("pgbackrest", "check")).code).toBe(0);
    return (await shop.onRepository(`ls /repository/archive/main/17-1/*/${name}-*`)).trim();
  };
  const onConfiguration = async (script: string) => {
    const { Image: image } = await shop.inspected();
    const owner = { project: "pgroundwork", stack: shop.stack, owner: "tests" };
    const volumes = { "/configuration": `${shop.prefix}-config` };
    // Only root may write to the configuration.
    const asRoot = { user: "0", capabilities: ["CHOWN", "DAC_OVERRIDE", "FOWNER"] };
    const spec = { image, owner, command: ["sleep", "60"], ...asRoot, volumes };
    await withScratchContainer(docker, spec, async (container) => {
      await container.start();
      const { code, stderr } = await runInContainer(docker, container.id, { command: ["sh", "-c", script] });
      expect(code, stderr).toBe(0);
    });
  };
  const damagedFile = /Cannot restore the backup \S+\. .*(?:checksum|zst error|block map|flush|cipher|eof)/s;

  it("fail with the right reason for each kind of damage, and pass again without it", async () => {
    const random = soakRandom();
    const kinds: [string, RegExp, () => Promise<() => Promise<unknown>>][] = [
      [
        "a byte of the full backup",
        damagedFile,
        async () => flipByte(await bundleOf(await makeBackup("full")), random),
      ],
      [
        "a byte of a dependent backup",
        damagedFile,
        async () => {
          await shop.sql("update item set changed = changed + 1");
          return flipByte(await bundleOf(await makeBackup("incr")), random);
        },
      ],
      [
        "a missing segment",
        /is missing from the archive|WAL is missing or damaged/,
        async () => {
          const [name] = [await switchSegment("one"), await switchSegment("two")];
          const file = await archivedFile(name);
          await shop.onRepository(`mv ${file} /repository/away`);
          return () => shop.onRepository(`mv /repository/away ${file}`);
        },
      ],
      [
        "a flipped byte in a segment",
        /could not read [0-9A-F]{24}|the archive has [0-9A-F]{24}, and it cannot be read/,
        async () => {
          const [name] = [await switchSegment("three"), await switchSegment("four")];
          return flipByte(await archivedFile(name), random);
        },
      ],
      [
        "another passphrase",
        /passphrase that is not this stack's/,
        async () => {
          const file = "/configuration/pgbackrest.conf";
          await onConfiguration(
            `cp -a ${file} ${file}.whole; sed -i 's/^repo1-cipher-pass=.*/repo1-cipher-pass=x/' ${file}`,
          );
          return () => onConfiguration(`mv ${file}.whole ${file}`);
        },
      ],
      [
        "an index that was corrupted before the backup",
        /lacks matching index tuple|amcheck: btree index/,
        async () => {
          await shop.sql(
            "create function twice(int) returns int language sql immutable as 'select $1 * 2'",
            "create table doubled as select 1 as id",
            "create index doubled_id on doubled (twice(id))",
            "create or replace function twice(int) returns int language sql immutable as 'select $1 * 3'",
          );
          await makeBackup("full");
          return async () => {
            await shop.sql("drop table doubled", "drop function twice");
            await makeBackup("full");
          };
        },
      ],
    ];
    for (const [kind, reason, damage] of kinds) {
      const mend = await damage();
      try {
        const failed = expect.stringMatching(reason);
        const newest = async () => (await shop.list()).found.backups[0]?.label;
        const before = await newest();
        const [byCommand, inContainer] = await drills();
        expect(byCommand, kind).toEqual(["failed", failed]);
        // The backup container makes a full backup by itself if WAL was lost.
        const isMended = (await newest()) !== before;
        expect(inContainer, kind).toEqual(isMended ? ["passed", expect.any(String)] : ["failed", failed]);
      } finally {
        await mend();
      }
      process.stderr.write(`${kind}: both drills failed with the reason\n`);
    }
    expect((await drills()).map(([outcome]) => outcome)).toEqual(["passed", "passed"]);
  });
});
