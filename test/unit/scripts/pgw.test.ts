import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import packageJson from "../../../package.json" with { type: "json" };
import { cloneRoot } from "../../clone-root.ts";

const run = promisify(execFile);
let folder: string;

/** A clone in which `npm ci` was not run yet. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pgw-bare-"));
  for (const name of ["package.json", "scripts"]) {
    await cp(join(cloneRoot, name), join(folder, name), { recursive: true });
  }
});
afterAll(() => rm(folder, { recursive: true }));

const started = (root: string, ...flags: string[]) =>
  run(process.execPath, [...flags, "scripts/pgw.mjs", "--version"], { cwd: root });

it("what npm starts is the command line", async () => {
  expect(await started(cloneRoot)).toEqual({ stdout: `${packageJson.version}\n`, stderr: "" });
});

it("a clone without its packages is told how to get them", async () => {
  await expect(started(folder)).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: "error: The packages are not installed.\n  Run `npm ci` first.\n",
  });
});

it("a Node that does not run TypeScript is named, with where to get one that does", async () => {
  await expect(started(folder, "--no-experimental-strip-types")).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr:
      `error: Node ${process.version} does not run TypeScript.\n` +
      "  Run `npm ci` first: it brings a Node that does, and `npm run` uses that one.\n",
  });
});
