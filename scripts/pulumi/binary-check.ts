import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import parse from "semver/functions/parse.js";
import { readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { cacheFolder } from "./cache-folder.mjs";
import type { Variables } from "./locations.ts";

/** Result of running a binary: its version, or why it cannot be used. */
export type BinaryCheck = { version: string } | { fault: string };

/** Time limit of `pulumi version` in ms; 0.1 s is usual. */
const answerWithinMs = 10_000;

/**
 * Size in bytes from which on the answer of an executable is remembered. A smaller one is a wrapper or a version
 * switcher's shim: the program it starts can change while the file stays the same.
 */
const rememberedFromBytes = 1_000_000;

interface Verdict {
  path: string;
  size: number;
  mtimeMs: number;
  version: string;
}

/**
 * Returns the version that `pulumi version` prints. Running it takes about 0.1 s, so the answer is remembered in the
 * cache as long as the file's size and time stay the same.
 */
export function checkEngine(path: string, env: Variables): Promise<BinaryCheck> {
  return remembered(path, env, async () => {
    const answer = await run(path, ["version"], env);
    if ("fault" in answer) return answer;
    const version = parse(answer.output.trim());
    if (version === null) return { fault: `\`${path} version\` printed no version: ${firstLine(answer.output)}` };
    return { version: version.version };
  });
}

/** Checks that the language host starts. It prints no version, so the version it was installed as is returned. */
export function checkLanguageHost(path: string, version: string, env: Variables): Promise<BinaryCheck> {
  return remembered(path, env, async () => {
    const answer = await run(path, ["-h"], env);
    return "fault" in answer ? answer : { version };
  });
}

async function remembered(path: string, env: Variables, check: () => Promise<BinaryCheck>): Promise<BinaryCheck> {
  const file = realpathSync(path);
  const { size, mtimeMs } = statSync(file);
  if (size < rememberedFromBytes) return check();
  const verdictFile = join(cacheFolder(env), "verdicts", `${createHash("sha256").update(file).digest("hex")}.json`);
  const verdict = readVerdict(verdictFile);
  if (verdict?.path === file && verdict.size === size && verdict.mtimeMs === mtimeMs) {
    return { version: verdict.version };
  }
  const answer = await check();
  if ("version" in answer) remember(verdictFile, { path: file, size, mtimeMs, version: answer.version });
  return answer;
}

function readVerdict(file: string): Verdict | undefined {
  try {
    const verdict: Partial<Verdict> | null = JSON.parse(readFileIfThere(file) ?? "null");
    if (typeof verdict?.path !== "string" || typeof verdict.version !== "string") return undefined;
    return { path: verdict.path, version: verdict.version, size: verdict.size ?? -1, mtimeMs: verdict.mtimeMs ?? -1 };
  } catch {
    // If a remembered version cannot be read, the binary is run again; nothing else is lost.
    return undefined;
  }
}

function remember(file: string, verdict: Verdict): void {
  try {
    writeFileAtomically(file, JSON.stringify(verdict));
  } catch {
    // Without a writable cache the binary is run each time; nothing else is lost.
  }
}

function run(path: string, args: string[], env: Variables): Promise<{ output: string } | { fault: string }> {
  const options = { env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" }, timeout: answerWithinMs };
  return new Promise((done) => {
    execFile(path, args, options, (error, stdout, stderr) => {
      if (error === null) done({ output: stdout });
      else if (error.killed) done({ fault: `${path} did not answer within ${answerWithinMs / 1000} s` });
      else done({ fault: `${path} does not run: ${firstLine(stderr) || firstLine(error.message)}` });
    });
  });
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
