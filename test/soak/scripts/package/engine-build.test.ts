import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { bin, installPackage } from "../../../embedded/scripts/package/installed.ts";
import { changedSince } from "../../../support/changed-since.ts";

const run = promisify(execFile);

let own: string;
beforeAll(async () => {
  own = await mkdtemp(join(inject("scratch"), "engine-build-"));
});
afterAll(() => rm(own, { recursive: true, force: true }));

it("the package builds the engine from its Go modules, and writes nothing below node_modules", async () => {
  const { workspace } = await installPackage();
  const packages = join(workspace, "node_modules");
  const recipes = join(own, "recipes");
  await cp(join(packages, "pgroundwork", "scripts", "pulumi", "go"), recipes, { recursive: true });
  for (const recipe of ["engine", "language-host"])
    await run("go", ["mod", "download"], { cwd: join(recipes, recipe), maxBuffer: 2 ** 26 });
  const { stdout } = await run("go", ["env", "GOCACHE", "GOMODCACHE"]);
  const [GOCACHE, GOMODCACHE] = stdout.split("\n");
  const began = new Date();
  // Offline, the engine is not downloaded. Without an engine on PATH or in the cache, it is built.
  const others = (process.env.PATH ?? "").split(":").filter((folder) => !folder.includes("pulumi"));
  const env = {
    ...process.env,
    ...{ GOCACHE, GOMODCACHE, PGW_OFFLINE: "1", HOME: own, PATH: [bin, ...others].join(":") },
    ...{ XDG_CACHE_HOME: join(own, "cache"), XDG_DATA_HOME: join(own, "data") },
  };
  const pgw = join(packages, ".bin", "pgw");
  await run(pgw, ["engine", "install"], { cwd: workspace, env, maxBuffer: 2 ** 26 });
  const status = await run(pgw, ["engine", "status", "--json"], { cwd: workspace, env });
  expect(status.stdout).toContain(join(own, "cache"));
  expect(await changedSince(packages, began)).toEqual([]);
});
