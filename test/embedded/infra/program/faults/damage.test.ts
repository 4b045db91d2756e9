import { chmod, chown, open, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../changes.ts";
import { revealedOutputs } from "../passwords.ts";
import { makeShop } from "../shop.ts";

describe("a damaged data directory", () => {
  let clone: Clone;
  let data: string;

  const expectRefused = async (...words: (string | RegExp)[]) => {
    const { code, stdout, stderr } = await clone.pgw("up");
    expect([code, stdout]).toEqual([1, ""]);
    for (const word of words) expect(stderr).toMatch(word);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr).not.toContain("bug in pgroundwork");
  };
  const expectBack = async () => {
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  };
  /** Returns the file with a table's rows. The server must be running. */
  const fileOf = async (table: string) => {
    const [row] = await clone.query<{ path: string }>("superuser", `select pg_relation_filepath('${table}') as path`);
    return join(data, row?.path ?? "");
  };
  const flipByte = async (path: string, position: number) => {
    const file = await open(path, "r+");
    try {
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
      await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, position);
    } finally {
      await file.close();
    }
  };

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
    data = (await revealedOutputs(clone)).server.dataDirectory;
    await clone.query("app", "insert into product values (3, 'cocoa', 2)");
  });
  afterAll(() => clone?.remove());

  it("is reported and left as it is if the control file is truncated, and works once it is restored", async () => {
    await clone.succeed("down");
    const control = join(data, "global", "pg_control");
    const whole = await readFile(control);
    await truncate(control, 100);
    await expectRefused(
      /error: server-postgres: The server on \S+ did not start\. The end of its log:/,
      /pg_control/,
      `Files in ${data} are damaged; they were not changed. First copy that folder.`,
    );
    expect((await stat(control)).size).toBe(100);
    await writeFile(control, whole);
    await expectBack();
  });

  it("is reported by a page checksum if a byte was flipped, and other tables stay readable", async () => {
    const ledger = await fileOf("pgroundwork.migration_ledger");
    await clone.succeed("down");
    const whole = await readFile(ledger);
    await flipByte(ledger, 8_100);
    await expectRefused(/invalid page in block 0 of relation \S+ \(SQLSTATE XX001\)/, "First copy the data directory");
    const preview = await clone.pgw("preview");
    expect(preview.stdout + preview.stderr).toContain("invalid page in block 0");
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    await clone.succeed("down");
    await writeFile(ledger, whole);
    await expectBack();
  });

  it("fails only the query that reads a damaged table of the application", async () => {
    const table = await fileOf("product");
    await clone.succeed("down");
    const whole = await readFile(table);
    await flipByte(table, 8_150);
    await clone.succeed("up");
    await expect(clone.query("readonly", "select * from product")).rejects.toThrow(/invalid page in block 0/);
    await clone.succeed("down");
    await writeFile(table, whole);
    await expectBack();
  });

  it("is reported with the correcting command if owner or mode keep PostgreSQL out", async () => {
    await clone.succeed("down");
    const { uid, gid } = await stat(data);
    await chmod(data, 0o500);
    await expectRefused(
      `The data directory ${data} has mode 0500: PostgreSQL cannot write it.`,
      `chmod 0700 '${data}'`,
    );
    await chmod(data, 0o700);
    if (process.getuid?.() === 0) {
      await chown(data, 12_345, gid);
      await expectRefused(`belongs to the user with id 12345`, `chown -R ${uid} '${data}'`);
      await chown(data, uid, gid);
    }
    await expectBack();
  });
});
