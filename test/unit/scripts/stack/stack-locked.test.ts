import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { lockedError } from "../../../../scripts/stack/stack-locked.ts";

const since = "2026-11-20T23:28:56Z";
const refusal = (host: string, pid: number) => [
  "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.",
  `  file:///clone/.pulumi/locks/shop/dev/1.json: created by ana@${host} (pid ${pid}) at ${since}`,
];
const cancel = '`eval "$(npm run -s pgw -- engine env --stack dev)" && pulumi cancel --yes --stack dev`';

it("an error about something else is not a lock", () => {
  expect(lockedError("dev", ["error: no stack named 'dev' found"])).toBeUndefined();
});

it("an unreadable state is not a lock", () => {
  const damaged = "error: failed to load checkpoint: place 1: unexpected end of JSON input";
  expect(lockedError("dev", [damaged])).toBeUndefined();
});

it.each(["unexpected end of JSON input", "invalid character '\\x00' looking for beginning of value"])(
  "a lock that the engine reports as %j can be removed",
  (words) => {
    expect(lockedError("dev", [`error: ${words}`])).toMatchObject({
      message: `A killed run left an incomplete lock on stack "dev": the engine says "${words}".`,
      hint: "Clean up what it left, then try again: `npm run pgw -- recover --stack dev`",
      holderIsGone: true,
      recoverable: true,
    });
  },
);

/** Starts a process that counts as an engine for a lock: alive and named pulumi. */
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

it("a lock of a running engine on this machine has to be waited for", async () => {
  const { pid = 0 } = await startEngine();
  expect(lockedError("dev", refusal(hostname(), pid))).toMatchObject({
    message: `Another run works on stack "dev": ana@${hostname()} (pid ${pid}) since ${since}.`,
    hint: "Wait for it to end, then try again; `up --wait` waits by itself.",
    holderIsGone: false,
  });
});

it("a lock of another machine, whose process cannot be checked, has to be waited for", () => {
  expect(lockedError("dev", refusal("elsewhere", 4_194_304))).toMatchObject({
    message: `Another run works on stack "dev": ana@elsewhere (pid 4194304) since ${since}.`,
    hint: `Wait for it to end, then try again; \`up --wait\` waits by itself. It runs on another machine. If it was killed: ${cancel}`,
    holderIsGone: false,
  });
});

it("a lock of a dead process can be removed", async () => {
  const child = spawn("true");
  await once(child, "exit");
  expect(lockedError("dev", refusal(hostname(), child.pid ?? 0))).toMatchObject({
    message: `A killed run left its lock on stack "dev". Its process is gone: ana@${hostname()} (pid ${child.pid}) since ${since}.`,
    hint: "Clean up what it left, then try again: `npm run pgw -- recover --stack dev`",
    holderIsGone: true,
    recoverable: true,
  });
});

it.runIf(process.platform === "linux")(
  "a lock whose pid belongs to another program counts as that of a dead process",
  () => {
    expect(lockedError("dev", refusal(hostname(), process.pid))).toMatchObject({ holderIsGone: true });
  },
);

it("a lock that is not a file of this machine is removed with the engine's own command", async () => {
  const child = spawn("true");
  await once(child, "exit");
  const inBucket = refusal(hostname(), child.pid ?? 0).map((line) => line.replace("file:///clone", "s3://states"));
  expect(lockedError("dev", inBucket)).toMatchObject({
    hint: `Clean up what it left, then try again: ${cancel}`,
    recoverable: false,
  });
});

it("a lock of a running engine counts more than others", async () => {
  const { pid = 0 } = await startEngine();
  const gone = refusal(hostname(), process.pid);
  expect(lockedError("dev", [...gone, ...refusal(hostname(), pid)])).toMatchObject({ holderIsGone: false });
});

it("a lock with an unreadable holder does not count as dead", () => {
  expect(lockedError("dev", ["the stack is currently locked by 1 lock(s)"])).toMatchObject({
    message: 'Another run works on stack "dev".',
    hint: `Wait for it to end, then try again; \`up --wait\` waits by itself. If it was killed: ${cancel}`,
  });
});
