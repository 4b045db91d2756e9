import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { expect, it } from "vitest";
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

it.each([
  ["a live process of this machine", hostname(), process.pid],
  ["a process of another machine, which nobody here can tell dead", "elsewhere", 4_194_304],
])("a lock of %s is waited for", (_, host, pid) => {
  expect(lockedError("dev", refusal(host, pid))).toMatchObject({
    message: `Another run works on stack "dev": ana@${host} (pid ${pid}) since ${since}.`,
    remedy: "Wait for it to end, then try again.",
  });
});

it("a lock of a process that is gone may be taken away", async () => {
  const child = spawn("true");
  await once(child, "exit");
  expect(lockedError("dev", refusal(hostname(), child.pid ?? 0))).toMatchObject({
    message: `A run that was killed left its lock on stack "dev": ana@${hostname()} (pid ${child.pid}) since ${since}, a process that is gone.`,
    remedy: `Take the lock away, then try again: ${cancel}`,
  });
});

it("a lock whose holder cannot be read is not called dead", () => {
  expect(lockedError("dev", ["the stack is currently locked by 1 lock(s)"])).toMatchObject({
    message: 'Another run works on stack "dev".',
    remedy: `Wait for it to end. If it was killed: ${cancel}`,
  });
});
