import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { cloneRoot } from "../../../clone-root.ts";

const run = promisify(execFile);

/** Returns the output on the terminal and the exit code of the command itself. */
async function piped(pipeline: string): Promise<string> {
  const script = `pgw() { '${process.execPath}' scripts/pgw.mjs "$@"; }; ${pipeline}; echo "ended with \${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await run("bash", ["-c", script], { cwd: cloneRoot });
  return stdout + stderr;
}

it("a command ends with the same exit code if the reader of stdout is gone", async () => {
  expect(await piped("pgw --help | true")).toBe("ended with 0\n");
});

it.runIf(existsSync("/dev/full"))("a command whose output cannot be written says so and fails", async () => {
  const lines = (await piped("pgw --help >/dev/full")).trim().split("\n");
  expect(lines.sort()).toEqual([
    "ended with 1",
    "error: The output could not be written: ENOSPC: no space left on device, write",
  ]);
});

it("a command ends with the same exit code if the reader of stderr is gone", async () => {
  expect(await piped("pgw migarte 2>&1 >/dev/null | true")).toBe("ended with 2\n");
});
