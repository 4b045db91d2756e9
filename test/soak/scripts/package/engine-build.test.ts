import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { bin, installPackage } from "../../../embedded/scripts/package/installed.ts";
import { changedPaths, listing } from "../../../support/listing.ts";
import { giveToPackageAccount, packageAccount, requireReadOnly } from "../../../support/package-account.ts";

const run = promisify(execFile);

let own: string;
beforeAll(async () => {
  own = await mkdtemp(join(inject("scratch"), "engine-build-"));
});
afterAll(async () => {
  // Go writes its modules without permission to delete them.
  await run("chmod", ["-R", "u+w", own]);
  await rm(own, { recursive: true, force: true });
});

it("the package builds the engine from its Go modules, as a user who cannot write to node_modules", async () => {
  const { workspace } = await installPackage();
  const packages = join(workspace, "node_modules");
  const recipes = join(own, "recipes");
  await cp(join(packages, "pgroundwork", "scripts", "pulumi", "go"), recipes, { recursive: true });
  await run("chmod", ["-R", "u+w", recipes]);
  const [home, project] = [join(own, "home"), join(own, "project")];
  await mkdir(home);
  await mkdir(project);
  await chmod(own, 0o755);
  await giveToPackageAccount(home, project, recipes);
  const before = listing(packages);
  // Offline, the engine is not downloaded. Without an engine on PATH or in the cache, it is built.
  const others = (process.env.PATH ?? "").split(":").filter((folder) => !folder.includes("pulumi"));
  const env = { PATH: [bin, ...others].join(":"), HOME: home };
  const as = { cwd: project, env, maxBuffer: 2 ** 26, ...packageAccount };
  const { stdout } = await run("go", ["env", "GOPROXY", "GOSUMDB"]);
  const [GOPROXY, GOSUMDB] = stdout.split("\n");
  for (const recipe of ["engine", "language-host"])
    await run("go", ["mod", "download"], { ...as, cwd: join(recipes, recipe), env: { ...env, GOPROXY, GOSUMDB } });
  await requireReadOnly(packages);
  const pgw = join(packages, ".bin", "pgw");
  const began = process.hrtime.bigint();
  const offline = { ...as, env: { ...env, PGW_OFFLINE: "1" } };
  await run(pgw, ["engine", "install"], offline);
  const seconds = Math.round(Number(process.hrtime.bigint() - began) / 1e9);
  process.stdout.write(`the engine was built in ${seconds} s\n`);
  const status = await run(pgw, ["engine", "status", "--json"], offline);
  expect(status.stdout).toContain(join(home, ".cache"));
  expect(changedPaths(before, listing(packages))).toEqual([]);
});
