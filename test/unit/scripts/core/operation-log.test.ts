import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { cloneRoot } from "../../../clone-root.ts";

const run = promisify(execFile);
const module = join(cloneRoot, "scripts", "core", "operation-log.ts");

/** Logs one line in a separate process and returns its stderr. */
async function logged(options: object): Promise<string> {
  const program = `
    const { openOperationLog } = await import(${JSON.stringify(module)});
    (await openOperationLog(${JSON.stringify(options)})).info({ operation: "up" }, "resource finished");
  `;
  return (await run(process.execPath, ["--input-type=module", "--eval", program])).stderr;
}

describe("the operation log", () => {
  it("writes JSON lines with the run's id without a terminal", async () => {
    const line = JSON.parse(await logged({ verbose: true, runId: "run-1", terminal: false })) as object;
    expect(line).toMatchObject({ runId: "run-1", operation: "up", msg: "resource finished", level: 30 });
  });

  it("writes readable lines on a terminal", async () => {
    const text = await logged({ verbose: true, runId: "run-1", terminal: true });
    expect(text).toContain("resource finished");
    expect(text).toContain('operation: "up"');
    expect(text).not.toContain("{");
  });

  it("writes nothing by default", async () => {
    expect(await logged({ verbose: false, runId: "run-1", terminal: false })).toBe("");
  });
});
