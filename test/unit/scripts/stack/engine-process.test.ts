import { chmod, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EngineInstallation } from "../../../../scripts/pulumi/ensure-engine.ts";
import { readOnStack, runEngine } from "../../../../scripts/stack/engine-process.ts";

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "pgw engine ")));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Creates a program that takes the engine's place. The tests are about its call and its output. */
async function engineOf(script: string): Promise<EngineInstallation> {
  const pulumi = join(root, "pulumi");
  await writeFile(pulumi, `#!/bin/sh\n${script}\n`);
  await chmod(pulumi, 0o755);
  return { pulumi, environment: { PULUMI_HOME: "/home of plugins" } } as unknown as EngineInstallation;
}

describe("a run of the engine", () => {
  it("happens in the project directory, without prompts and colours, with both sets of variables", async () => {
    const engine = await engineOf('pwd; echo "$@"; echo "$PULUMI_HOME|$PGW_RUN_ID|$PULUMI_AUTOMATION_API"');
    const lines: string[] = [];
    const exit = await runEngine(engine, {
      root,
      args: ["up", "--stack", "dev"],
      onLine: (line) => lines.push(line),
      variables: { PGW_RUN_ID: "run-1" },
    });
    expect(exit).toEqual({ code: 0, stderr: "" });
    expect(lines).toEqual([root, "up --stack dev --non-interactive --color never", "/home of plugins|run-1|true"]);
  });

  it("returns exit code and stderr if it fails", async () => {
    const engine = await engineOf("echo out; echo 'error: no' >&2; exit 255");
    expect(await runEngine(engine, { root, args: [] })).toEqual({ code: 255, stderr: "error: no\n" });
  });

  it("is interrupted as by Ctrl-C and can end by itself", async () => {
    const engine = await engineOf("trap 'echo stopping; exit 7' INT; echo begun; while :; do sleep 0.05; done");
    const cancelled = new AbortController();
    const lines: string[] = [];
    const exit = await runEngine(engine, {
      root,
      args: [],
      signal: cancelled.signal,
      onLine: (line) => {
        lines.push(line);
        if (line === "begun") cancelled.abort();
      },
    });
    expect(exit.code).toBe(7);
    expect(lines).toEqual(["begun", "stopping"]);
  });
});

describe("reading a state", () => {
  const fails = (times: number, message: string) =>
    `echo x >> tries; [ $(wc -l < tries) -gt ${times} ] || { echo '${message}' >&2; exit 255; }; echo '{"a":1}'`;
  const read = async (script: string) =>
    readOnStack({ engine: await engineOf(script), root, name: "dev" }, ["stack", "output"]);
  const tries = async () => (await readFile(join(root, "tries"), "utf8")).trim().split("\n").length;

  it("is repeated while another run writes the files next to it", async () => {
    const answer = await read(fails(3, "error: failed to load checkpoint: EOF"));
    expect([answer.code, answer.stdout, await tries()]).toEqual([0, '{"a":1}', 4]);
  });

  it("gives up on a state that stays damaged, with the engine's message", async () => {
    const answer = await read(fails(99, "error: failed to load checkpoint: unexpected end of JSON input"));
    expect([answer.code, answer.stderr]).toEqual([255, expect.stringContaining("unexpected end of JSON input")]);
    expect(await tries()).toBe(7);
  });

  it("is not repeated after another error", async () => {
    expect((await read(fails(1, "error: no stack named dev found"))).code).toBe(255);
    expect(await tries()).toBe(1);
  });
});
