import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import parse from "semver/functions/parse.js";
import { readFileIfThere, writeFileAtomically } from "./atomic-file.ts";
import { cacheFolder } from "./cache-folder.mjs";
import type { Variables } from "./locations.ts";

/** What running a binary told: its version, or why it is of no use. */
export type BinaryCheck = { version: string } | { fault: string };

/** How long `pulumi version` may take, in ms; 0.1 s is usual. */
const answerWithinMs = 10_000;

/**
 * Below this size, in bytes, an executable is a wrapper or a version switcher's shim: what it starts can change while
 * the file stays the same, so its answer is not remembered.
 */
const rememberedFromBytes = 1_000_000;

interface Verdict {
  path: string;
  size: number;
  mtimeMs: number;
  version: string;
}

/**
 * The version that `pulumi version` prints. Running it takes about 0.1 s, so the answer is remembered in the cache for
 * as long as the file keeps its size and time.
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

/** Whether the language host starts at all; it has no version to ask for, so the one it was installed as stands for it. */
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
    // A verdict that cannot be read only costs asking the binary again.
    return undefined;
  }
}

function remember(file: string, verdict: Verdict): void {
  try {
    writeFileAtomically(file, JSON.stringify(verdict));
  } catch {
    // Without a writable cache the binary is asked each time; nothing else is lost.
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
