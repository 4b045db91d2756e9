import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeFileAtomically } from "../../../../scripts/core/atomic-file.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atomic-file-"));
  file = join(folder, "below", "settings.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

it("an atomic write creates files for this user only, and keeps the mode of existing ones", () => {
  writeFileAtomically(file, "one");
  expect([readFileSync(file, "utf8"), modeOf(file)]).toEqual(["one", 0o600]);
  chmodSync(file, 0o664);
  writeFileAtomically(file, "two");
  expect([readFileSync(file, "utf8"), modeOf(file)]).toEqual(["two", 0o664]);
  writeFileAtomically(file, "three", { mode: 0o640 });
  expect(modeOf(file)).toBe(0o640);
});

it("an exclusive write does not change an existing file, and leaves no temporary one", () => {
  writeFileAtomically(file, "first", { exclusive: true });
  expect(() => writeFileAtomically(file, "second", { exclusive: true })).toThrow(/EEXIST/);
  expect(readFileSync(file, "utf8")).toBe("first");
  expect(readdirSync(join(folder, "below"))).toEqual(["settings.yaml"]);
});

it("a failed write leaves no temporary file", () => {
  const taken = join(folder, "taken");
  writeFileAtomically(join(taken, "in-it"), "");
  expect(() => writeFileAtomically(taken, "text")).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  expect(readdirSync(folder)).toEqual(["taken"]);
});
