import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { cloneRoot } from "../../../clone-root.ts";

const run = promisify(execFile);
const module = join(cloneRoot, "scripts", "log", "operation-log.ts");

/** Logs one line in a process of its own, and answers what that wrote to stderr. */
async function logged(options: object): Promise<string> {
  const program = `
    const { openOperationLog } = await import(${JSON.stringify(module)});
    (await openOperationLog(${JSON.stringify(options)})).info({ operation: "up" }, "resource finished");
  `;
  return (await run(process.execPath, ["--input-type=module", "--eval", program])).stderr;
}

describe("the operation log", () => {
  it("writes a JSON line with the run's id where there is no terminal", async () => {
    const line = JSON.parse(await logged({ verbose: true, runId: "run-1", terminal: false })) as object;
    expect(line).toMatchObject({ runId: "run-1", operation: "up", msg: "resource finished", level: 30 });
  });

  it("writes lines for people on a terminal", async () => {
    const text = await logged({ verbose: true, runId: "run-1", terminal: true });
    expect(text).toContain("resource finished");
    expect(text).toContain('operation: "up"');
    expect(text).not.toContain("{");
  });

  it("writes nothing unless it is asked for", async () => {
    expect(await logged({ verbose: false, runId: "run-1", terminal: false })).toBe("");
  });
});
