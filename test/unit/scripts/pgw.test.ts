import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import packageJson from "../../../package.json" with { type: "json" };
import { cloneRoot } from "../../clone-root.ts";

const run = promisify(execFile);
let folder: string;

/** A copy of the project without installed packages. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pgw-bare-"));
  for (const name of ["package.json", "scripts"]) {
    await cp(join(cloneRoot, name), join(folder, name), { recursive: true });
  }
});
afterAll(() => rm(folder, { recursive: true }));

const started = (root: string, ...flags: string[]) =>
  run(process.execPath, [...flags, "scripts/pgw.mjs", "--version"], { cwd: root });

it("pgw.mjs starts the command line", async () => {
  expect(await started(cloneRoot)).toEqual({ stdout: `${packageJson.version}\n`, stderr: "" });
});

it("pgw.mjs says how to install missing packages", async () => {
  await expect(started(folder)).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: "error: The packages are not installed.\n  Run `npm ci` first.\n",
  });
});

/** Flags with which this Node behaves as one that cannot run TypeScript. */
const asOlderNode = "--no-experimental-strip-types";

it("pgw.mjs starts the command line with the project's own Node if the running one cannot run TypeScript", async () => {
  expect(await started(cloneRoot, asOlderNode)).toEqual({ stdout: `${packageJson.version}\n`, stderr: "" });
  const failing = run(process.execPath, [asOlderNode, "scripts/pgw.mjs", "up", "--no-such-option"], { cwd: cloneRoot });
  await expect(failing).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option") });
});

describe("pgw.mjs on a Node that cannot run TypeScript", () => {
  it("says how to get one that does if the packages are not installed", async () => {
    await expect(started(folder, asOlderNode)).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr:
        `error: Node ${process.version} does not run TypeScript.\n` +
        "  Run `npm ci` first: it brings a Node that does, and `npm run` uses that one.\n",
    });
  });

  it("says so as JSON with --json", async () => {
    const failing = run(process.execPath, [asOlderNode, "scripts/pgw.mjs", "up", "--json"], { cwd: folder });
    const { stdout } = await failing.catch((error: { stdout: string }) => error);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        message: `Node ${process.version} does not run TypeScript.`,
        hint: expect.stringContaining("npm ci"),
        code: 1,
      },
    });
  });

  it("forwards signals to the project's own Node and ends with its exit code", async () => {
    const fake = join(folder, "node_modules", "node");
    await mkdir(join(fake, "bin"), { recursive: true });
    await writeFile(join(fake, "package.json"), '{ "name": "node" }');
    // It ends by itself if no signal reaches it.
    const waits = "#!/bin/sh\ntrap 'echo ended; exit 7' TERM\necho \"$@\"\nfor _ in $(seq 1000); do sleep 0.02; done\n";
    await writeFile(join(fake, "bin", "node"), waits, { mode: 0o755 });
    const child = spawn(process.execPath, [asOlderNode, "scripts/pgw.mjs", "up", "-s", "dev"], { cwd: folder });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (output === "") child.kill("SIGTERM");
      output += text;
    });
    const [code] = (await once(child, "close")) as [number];
    await rm(join(folder, "node_modules"), { recursive: true });
    expect([code, output]).toEqual([7, `${join(folder, "scripts", "pgw.mjs")} up -s dev\nended\n`]);
  });
});
