import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { installOwnPlugin, packageVersion } from "../../../../scripts/pulumi/own-plugin.ts";

const run = promisify(execFile);

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pgw own plugin "));
});
afterEach(() => rm(root, { recursive: true }));

it("the plugin is registered with the package's version, beside other versions, and runs the package of each project", async () => {
  const plugins = join(root, "home", "plugins");
  await mkdir(join(plugins, "resource-pgroundwork-v0.0.1"), { recursive: true });
  installOwnPlugin(join(root, "home"));
  const name = `resource-pgroundwork-v${packageVersion()}`;
  expect((await readdir(plugins)).sort()).toEqual(["resource-pgroundwork-v0.0.1", name].sort());
  const launcher = join(plugins, name, "pulumi-resource-pgroundwork");
  for (const project of ["one", "the other"]) {
    const folder = join(root, project);
    const dist = join(folder, "node_modules", "pgroundwork", "dist");
    await mkdir(dist, { recursive: true });
    await mkdir(join(folder, "infra"));
    await writeFile(join(dist, "provider.mjs"), `console.log("${project}", process.argv.slice(2).join());`);
    const { stdout } = await run(launcher, ["127.0.0.1:1"], { cwd: join(folder, "infra") });
    expect(stdout).toBe(`${project} 127.0.0.1:1\n`);
  }
  const { stderr } = await run(launcher, { cwd: root }).catch((error: { stderr: string }) => error);
  expect(stderr).toContain("dist/provider.mjs");
});
