import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { lockedError } from "../../../../scripts/stack/stack-lock.ts";

const since = "2026-11-20T23:28:56Z";
const refusal = (host: string, pid: number) => [
  "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.",
  `  file:///clone/.pulumi/locks/shop/dev/1.json: created by ana@${host} (pid ${pid}) at ${since}`,
];
const cancel = '`eval "$(npm run -s pgw -- engine env)" && pulumi cancel --yes --stack dev`';

it("a lock is no matter of an error that speaks of something else", () => {
  expect(lockedError("dev", ["error: no stack named 'dev' found"])).toBeUndefined();
});

it("a state that cannot be read is none either", () => {
  const damaged = "error: failed to load checkpoint: place 1: unexpected end of JSON input";
  expect(lockedError("dev", [damaged])).toBeUndefined();
});

it.each(["unexpected end of JSON input", "invalid character '\\x00' looking for beginning of value"])(
  "a lock of which the engine says only %j may be taken away",
  (words) => {
    expect(lockedError("dev", [`error: ${words}`])).toMatchObject({
      message: `A run that was killed left a lock on stack "dev" that is not whole: the engine says "${words}".`,
      remedy: "Take back what it left, then try again: `npm run pgw -- recover --stack dev`",
      holderIsGone: true,
      recoverable: true,
    });
  },
);

/** An engine as far as a lock is concerned: a living process of that name. */
async function startEngine(): Promise<ChildProcess> {
  const folder = await mkdtemp(join(tmpdir(), "engine-"));
  const engine = join(folder, "pulumi");
  await copyFile("/bin/sleep", engine);
  const child = spawn(engine, ["60"]);
  await once(child, "spawn");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true });
  });
  return child;
}

it("a lock of a living engine of this machine is waited for", async () => {
  const { pid = 0 } = await startEngine();
  expect(lockedError("dev", refusal(hostname(), pid))).toMatchObject({
    message: `Another run works on stack "dev": ana@${hostname()} (pid ${pid}) since ${since}.`,
    remedy: "Wait for it to end, then try again; `up --wait` waits by itself.",
    holderIsGone: false,
  });
});

it("a lock of a process of another machine, which nobody here can tell dead, is waited for", () => {
  expect(lockedError("dev", refusal("elsewhere", 4_194_304))).toMatchObject({
    message: `Another run works on stack "dev": ana@elsewhere (pid 4194304) since ${since}.`,
    remedy: `Wait for it to end, then try again; \`up --wait\` waits by itself. If it was killed, which cannot be told from here: ${cancel}`,
    holderIsGone: false,
  });
});

it("a lock of a process that is gone may be taken away", async () => {
  const child = spawn("true");
  await once(child, "exit");
  expect(lockedError("dev", refusal(hostname(), child.pid ?? 0))).toMatchObject({
    message: `A run that was killed left its lock on stack "dev": ana@${hostname()} (pid ${child.pid}) since ${since}, a process that is gone.`,
    remedy: "Take back what it left, then try again: `npm run pgw -- recover --stack dev`",
    holderIsGone: true,
    recoverable: true,
  });
});

it.runIf(process.platform === "linux")(
  "a lock whose pid is another program's by now is that of a process that is gone",
  () => {
    expect(lockedError("dev", refusal(hostname(), process.pid))).toMatchObject({ holderIsGone: true });
  },
);

it("a lock that is no file of this machine is taken away with the engine's own command", async () => {
  const child = spawn("true");
  await once(child, "exit");
  const inBucket = refusal(hostname(), child.pid ?? 0).map((line) => line.replace("file:///clone", "s3://states"));
  expect(lockedError("dev", inBucket)).toMatchObject({
    remedy: `Take back what it left, then try again: ${cancel}`,
    recoverable: false,
  });
});

it("of several locks the one of a living engine is what counts", async () => {
  const { pid = 0 } = await startEngine();
  const gone = refusal(hostname(), process.pid);
  expect(lockedError("dev", [...gone, ...refusal(hostname(), pid)])).toMatchObject({ holderIsGone: false });
});

it("a lock whose holder cannot be read is not called dead", () => {
  expect(lockedError("dev", ["the stack is currently locked by 1 lock(s)"])).toMatchObject({
    message: 'Another run works on stack "dev".',
    remedy: `Wait for it to end, then try again; \`up --wait\` waits by itself. If it was killed: ${cancel}`,
  });
});
