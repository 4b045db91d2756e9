import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { cloneRoot } from "../../../../clone-root.ts";

const run = promisify(execFile);

/** What is left on the terminal, and what the command itself ended with. */
async function piped(pipeline: string): Promise<string> {
  const script = `pgw() { '${process.execPath}' scripts/pgw.mjs "$@"; }; ${pipeline}; echo "ended with \${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await run("bash", ["-c", script], { cwd: cloneRoot });
  return stdout + stderr;
}

it("a reader of stdout that has gone changes nothing about how a command ends", async () => {
  expect(await piped("pgw --help | true")).toBe("ended with 0\n");
});

it("a reader of stderr that has gone changes nothing about how a command ends", async () => {
  expect(await piped("pgw migarte 2>&1 >/dev/null | true")).toBe("ended with 2\n");
});
