import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { listImports } from "../../../../scripts/import/verify-import.ts";
import { serverAccount } from "../../../../scripts/server/account.ts";
import { canMount, mountDisk, resizeDisk, unmountDisk } from "../../../mounted-disk.ts";
import { failureOf, type ImportCases, startImportCases } from "./import-cases.ts";

const tables = "create table item (id integer primary key, note text not null)";
const map = { tables: [{ to: "item", from: "item", columns: { id: "id", note: "note" } }] };
/** SQL of a source with this number of rows of a kilobyte, which cannot be compressed. */
const rowsOf = (count: number) => `create table item (id integer primary key, note text);
  with recursive n (value) as (select 1 union all select value + 1 from n where value < ${count})
  insert into item select value, hex(randomblob(500)) from n`;
const mebibyte = 1_048_576;

describe.skipIf(!canMount())("an import and a small disk (needs root to mount one)", () => {
  let cases: ImportCases;
  const disks: string[] = [];
  beforeAll(async () => {
    cases = await startImportCases();
  });
  afterAll(async () => {
    await cases?.stop();
    for (const disk of disks) {
      unmountDisk(disk);
      rmdirSync(disk);
    }
  });

  /** Mounts a disk. */
  function disk(size: string): string {
    const place = mkdtempSync(path.join(tmpdir(), "pgw-import-disk-"));
    mountDisk(place, `size=${size}`);
    disks.push(place);
    return place;
  }

  /** Runs work while files for the moment are written to a folder. */
  async function withTemporaryFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const former = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    try {
      return await work();
    } finally {
      if (former === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = former;
    }
  }

  it("needs space for the copies of the source, and is refused before it records or reads a row", async () => {
    const target = await cases.begin(tables);
    const file = target.sqlite(rowsOf(2_000));
    const small = disk("1M");
    const needs = (what: string) => new RegExp(`^The copy of the ${what} needs 2 MB, and ${small} has 1 MB\\.$`);
    const copied = await failureOf(withTemporaryFolder(small, () => target.run("sqlite", file, map)));
    expect(copied).toMatchObject({
      message: expect.stringMatching(needs("database")),
      hint: expect.stringContaining("set TMPDIR"),
    });
    const kept = await failureOf(target.run("sqlite", file, map, { keepSource: small }));
    expect(kept).toMatchObject({
      message: expect.stringMatching(needs("source")),
      hint: expect.stringContaining("name another folder"),
    });
    expect(readdirSync(small)).toEqual([]);
    expect(
      await target.rows("select to_regclass('pgroundwork.import_run') as runs, (select count(*)::int from item) as n"),
    ).toEqual([{ runs: null, n: 0 }]);
    resizeDisk(small, 16);
    const { report } = await withTemporaryFolder(small, () => target.run("sqlite", file, map, { keepSource: small }));
    expect([report.outcome, readdirSync(small)]).toEqual(["verified", [report.run]]);
  });

  it("continues after the disk of the kept source filled up while it was copied, and left no part of the copy", async () => {
    const target = await cases.begin("create table event (file text primary key, n integer)");
    const source = path.join(target.folder, "data");
    mkdirSync(source);
    // Each file needs a block of the disk, however few bytes it has.
    for (let file = 0; file < 100; file++) writeFileSync(path.join(source, `e${file}.json`), `{"n": ${file}}`);
    const events = { tables: [{ to: "event", from: "data/*", columns: { file: "$file", n: "n" } }] };
    const small = disk("200k");
    const filled = await failureOf(target.run("json", target.folder, events, { keepSource: small }));
    const [run] = await listImports(target.connection);
    const kept = path.join(small, run?.id ?? "");
    expect(filled).toMatchObject({
      message: expect.stringContaining(`could not be written to ${kept}, because its disk is full: ENOSPC`),
      hint: "Free space, or name another folder. Then run the same import again. Nothing was imported.",
    });
    expect([run?.phase, readdirSync(kept), await target.rows("select * from event")]).toEqual(["validated", [], []]);
    resizeDisk(small, 4);
    const { report } = await target.run("json", target.folder, events, { keepSource: small });
    expect(report).toMatchObject({ run: run?.id, outcome: "verified", tables: [{ inserted: 100 }] });
    expect(readdirSync(path.join(kept, "source", "data"))).toHaveLength(100);
  });

  it("continues after the server's disk was full while it read and while it loaded, and every row arrives once", async () => {
    const target = await cases.begin(tables);
    const file = target.sqlite(rowsOf(6_000));
    const small = disk("64M");
    chmodSync(small, 0o755);
    const account = await serverAccount(process.getuid?.());
    if (account !== undefined) chownSync(small, account.uid, account.gid);
    const { database } = target.connection;
    await withClient(cases.server.connection(), async (client) => {
      await client.query(`create tablespace small location '${small}'`);
      await client.query(`alter database "${database}" set tablespace small`);
    });
    /** Leaves these megabytes on the disk. */
    const leave = (megabytes: number) => {
      const { blocks, bfree, bsize } = statfsSync(small);
      resizeDisk(small, Math.ceil(((blocks - bfree) * bsize) / mebibyte) + megabytes);
    };
    const full = async () => {
      const error = await failureOf(target.run("sqlite", file, map, { batchRows: 1_000 }));
      expect(error).toMatchObject({
        message: expect.stringMatching(/No space left on device.* \(SQLSTATE 53100\)$/),
        hint: expect.stringContaining("The server's disk is full. Free space there, then run again."),
      });
      return (await listImports(target.connection)).map(({ phase }) => phase);
    };
    leave(3);
    expect(await full()).toEqual(["staging"]);
    leave(9);
    expect(await full()).toEqual(["loading"]);
    const [before] = await target.rows<{ n: number }>("select count(*)::int as n from item");
    expect([0, 1_000, 2_000, 3_000, 4_000, 5_000]).toContain(before?.n);
    leave(48);
    const { report } = await target.run("sqlite", file, map, { batchRows: 1_000 });
    expect(report).toMatchObject({ outcome: "verified", tables: [{ sourceRows: 6_000, inserted: 6_000 }] });
    expect(await target.rows("select count(*)::int as n, count(distinct note)::int as notes from item")).toEqual([
      { n: 6_000, notes: 6_000 },
    ]);
  });
});
