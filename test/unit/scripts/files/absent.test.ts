import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAbsent, leadsNowhere, unlessAbsent, unlessAbsentSync } from "../../../../scripts/files/absent.ts";

describe("a file that may not be there", () => {
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

  it("is read where it is there", async () => {
    expect(await unlessAbsent(readFile(empty, "utf8"))).toBe("");
    expect(unlessAbsentSync(() => readFileSync(empty, "utf8"))).toBe("");
  });

  it("is nothing where it is not", async () => {
    expect(await unlessAbsent(readFile(absent))).toBeUndefined();
    expect(unlessAbsentSync(() => readFileSync(absent))).toBeUndefined();
  });

  it("and cannot be read for any other reason is an error", async () => {
    await expect(unlessAbsent(readFile(folder))).rejects.toThrow("EISDIR");
    await expect(unlessAbsent(readFile(folder), leadsNowhere)).rejects.toThrow("EISDIR");
    expect(() => unlessAbsentSync(() => readFileSync(folder))).toThrow("EISDIR");
    expect(() => unlessAbsentSync(() => readFileSync(folder), leadsNowhere)).toThrow("EISDIR");
  });

  it("is not there either below a file, where that is asked", async () => {
    await expect(unlessAbsent(readFile(belowFile))).rejects.toThrow("ENOTDIR");
    expect(() => unlessAbsentSync(() => readFileSync(belowFile))).toThrow("ENOTDIR");
    for (const path of [absent, belowFile]) {
      expect(await unlessAbsent(readFile(path), leadsNowhere)).toBeUndefined();
      expect(unlessAbsentSync(() => readFileSync(path), leadsNowhere)).toBeUndefined();
    }
  });
});

describe("a caught value", () => {
  const failure = (code: string) => Object.assign(new Error(code), { code });

  it("says by its code alone that a file is not there", () => {
    expect(isAbsent(failure("ENOENT"))).toBe(true);
    expect(leadsNowhere(failure("ENOENT"))).toBe(true);
    expect(isAbsent(failure("ENOTDIR"))).toBe(false);
    expect(leadsNowhere(failure("ENOTDIR"))).toBe(true);
  });

  it.each([failure("EACCES"), new Error("ENOENT"), "ENOENT", null, undefined])("says nothing of it: %s", (value) => {
    expect(isAbsent(value)).toBe(false);
    expect(leadsNowhere(value)).toBe(false);
  });
});
