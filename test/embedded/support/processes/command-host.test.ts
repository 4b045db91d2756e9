import { afterAll, beforeAll, expect, it } from "vitest";
import { runOnHost } from "../../../support/processes/command-client.ts";
import { type Clone, makeClone } from "../../clone.ts";

let clone: Clone;

beforeAll(async () => {
  clone = await makeClone();
});
afterAll(() => clone?.remove());

it.each(["--version", "url", "nonsense", "url --role nobody --json", "migrate lint --json"])(
  "`pgw %s` ends with the same output and code in a host as in a process of its own",
  async (words) => {
    const inProcess = await clone.shell(`node_modules/.bin/node scripts/pgw.mjs ${words}`);
    expect(await runOnHost(words.split(" "), clone.root, clone.env)).toEqual(inProcess);
  },
);

it("a command is left to a process of its own while the host runs another, and if the project's start is changed", async () => {
  const unanswered = ["migrate", "status", "--url", "postgresql://someone@127.0.0.1:1/shop"];
  // Of many, because one can be done before the next one arrives.
  const runs = Array.from({ length: 6 }, () => runOnHost(unanswered, clone.root, clone.env));
  const left = (await Promise.all(runs)).filter((answer) => answer === undefined).length;
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(runs.length);
  const changed = { ...clone.env, NODE_OPTIONS: "--import=/elsewhere/clock.mjs" };
  expect(await runOnHost(["--version"], clone.root, changed)).toBeUndefined();
  expect(await runOnHost(["psql", "--version"], clone.root, clone.env)).toBeUndefined();
});
