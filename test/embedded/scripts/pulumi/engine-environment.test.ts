import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { shellExports } from "../../../../scripts/core/shell.ts";
import { ensureEngine } from "../../../../scripts/pulumi/ensure-engine.ts";
import { cloneRoot } from "../../../clone-root.ts";

let root: string;
beforeEach(() => {
  // Each of these characters breaks a path that is put into a URL or a shell command without quoting.
  root = mkdtempSync(join(inject("scratch"), "it's 100%20 #1-"));
  mkdirSync(join(root, "infra"));
  mkdirSync(join(root, ".pgroundwork"));
  symlinkSync(join(cloneRoot, "node_modules"), join(root, "node_modules"));
  writeFileSync(join(root, "package.json"), '{"type":"module"}');
  writeFileSync(
    join(root, "Pulumi.yaml"),
    "name: trivial\nruntime: {name: nodejs, options: {typescript: false}}\nmain: infra/program.ts\n" +
      "backend:\n  url: file://./.pgroundwork\n",
  );
  writeFileSync(join(root, "infra/program.ts"), "export const runtime: string = process.version;\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("after `engine env`, pulumi in a subfolder runs the program with the project's Node and state", async () => {
  const env = { ...process.env, PULUMI_HOME: join(root, "home"), PULUMI_CONFIG_PASSPHRASE: "of the stack" };
  const { environment, pathPrefix } = await ensureEngine({ root, env });
  const script = `eval "$1"; cd infra && pulumi stack init hand && pulumi up --yes --skip-preview -s hand >&2 && pulumi stack output runtime -s hand`;
  const output = execFileSync("/bin/sh", ["-c", script, "sh", shellExports(environment, pathPrefix)], {
    cwd: root,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(output).toMatch(/^(Created stack 'hand'\n)?v24\./);
  expect(existsSync(join(root, ".pgroundwork/.pulumi/stacks/trivial/hand.json"))).toBe(true);
  expect(existsSync(join(root, "infra/.pgroundwork"))).toBe(false);
});

test("PGW_OFFLINE=1 fetches no plugin, and reports no such step", async () => {
  const steps: string[] = [];
  const env = { ...process.env, PGW_OFFLINE: "1", PULUMI_HOME: join(root, "home") };
  const onProgress = ({ step }: { step: string }) => void steps.push(step);
  const { plugins } = await ensureEngine({ root: cloneRoot, env, retryPlugins: true, onProgress });
  expect(plugins.map(({ reason }) => reason)).toEqual(plugins.map(() => "no official plugin: PGW_OFFLINE is set"));
  expect(steps).toEqual([]);
});
