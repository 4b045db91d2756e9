import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAbsent, leadsNowhere, unlessAbsent, unlessAbsentSync } from "../../../../scripts/core/absent.ts";

describe("a file that may be missing", () => {
  let folder: string;
  let empty: string;
  let absent: string;
  let belowFile: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "absent-"));
    empty = join(folder, "empty");
    absent = join(folder, "absent");
    belowFile = join(empty, "below");
    await writeFile(empty, "");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is read if it exists", async () => {
    expect(await unlessAbsent(readFile(empty, "utf8"))).toBe("");
    expect(unlessAbsentSync(() => readFileSync(empty, "utf8"))).toBe("");
  });

  it("is undefined if it does not exist", async () => {
    expect(await unlessAbsent(readFile(absent))).toBeUndefined();
    expect(unlessAbsentSync(() => readFileSync(absent))).toBeUndefined();
  });

  it("causes an error if it cannot be read for another reason", async () => {
    await expect(unlessAbsent(readFile(folder))).rejects.toThrow("EISDIR");
    await expect(unlessAbsent(readFile(folder), leadsNowhere)).rejects.toThrow("EISDIR");
    expect(() => unlessAbsentSync(() => readFileSync(folder))).toThrow("EISDIR");
    expect(() => unlessAbsentSync(() => readFileSync(folder), leadsNowhere)).toThrow("EISDIR");
  });

  it("can count as missing if its path leads through a file", async () => {
    await expect(unlessAbsent(readFile(belowFile))).rejects.toThrow("ENOTDIR");
    expect(() => unlessAbsentSync(() => readFileSync(belowFile))).toThrow("ENOTDIR");
    for (const path of [absent, belowFile]) {
      expect(await unlessAbsent(readFile(path), leadsNowhere)).toBeUndefined();
      expect(unlessAbsentSync(() => readFileSync(path), leadsNowhere)).toBeUndefined();
    }
  });
});

describe("an error for a missing file", () => {
  const failure = (code: string) => Object.assign(new Error(code), { code });

  it("is recognised by its code alone", () => {
    expect(isAbsent(failure("ENOENT"))).toBe(true);
    expect(leadsNowhere(failure("ENOENT"))).toBe(true);
    expect(isAbsent(failure("ENOTDIR"))).toBe(false);
    expect(leadsNowhere(failure("ENOTDIR"))).toBe(true);
  });

  it.each([failure("EACCES"), new Error("ENOENT"), "ENOENT", null, undefined])("is not %s", (value) => {
    expect(isAbsent(value)).toBe(false);
    expect(leadsNowhere(value)).toBe(false);
  });
});
