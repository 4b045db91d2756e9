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
  const answers = await Promise.all([1, 2].map(() => runOnHost(["migrate", "lint", "--json"], clone.root, clone.env)));
  expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
  const changed = { ...clone.env, NODE_OPTIONS: "--import=/elsewhere/clock.mjs" };
  expect(await runOnHost(["--version"], clone.root, changed)).toBeUndefined();
  expect(await runOnHost(["psql", "--version"], clone.root, clone.env)).toBeUndefined();
});
