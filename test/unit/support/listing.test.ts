import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { changedPaths, type Listing, listing } from "../../support/listing.ts";

let own: string;
let before: Listing;
const path = (name: string) => join(own, name);

beforeAll(async () => {
  own = await mkdtemp(join(tmpdir(), "pgw listing "));
  await mkdir(path("folder"));
  for (const name of ["same", "written", "removed", "folder/mode"]) await writeFile(path(name), "1");
  await symlink("same", path("link"));
  before = listing(own);
});
afterAll(() => rm(own, { recursive: true }));

it("a listing of an unchanged folder is the same", async () => {
  expect(changedPaths(before, listing(own))).toEqual([]);
});

it("a listing shows every change, also one with the same size and the old times", async () => {
  await writeFile(path("written"), "2");
  await utimes(path("written"), new Date(0), new Date(0));
  await rm(path("removed"));
  await writeFile(path("added"), "");
  await chmod(path("folder/mode"), 0o600);
  await rm(path("link"));
  await symlink("written", path("link"));
  const changed = ["added", "folder/mode", "link", "removed", "written"];
  expect(changedPaths(before, listing(own))).toEqual([own, ...changed.map(path)]);
});
