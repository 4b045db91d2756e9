import { expect, it } from "vitest";
import type { ProcessEntry } from "../../../../../scripts/core/process-table.ts";
import { orphansOf } from "../../../../../scripts/stack/recover/orphans.ts";

const clone = "/home/ana/clone";
const init = entry(1, 0, { program: "systemd", folder: "/" });
const languageHost = { program: "pulumi-language-nodejs", folder: `${clone}/infra` };
const plugin = { program: "node", folder: `${clone}/infra`, args: ["node", `${clone}/infra/provider/main.ts`] };
const program = {
  program: "node",
  folder: `${clone}/infra`,
  args: ["node", `${clone}/node_modules/@pulumi/pulumi/cmd/run/index.js`, "--monitor"],
};

function entry(pid: number, parent: number, rest: Partial<ProcessEntry>): ProcessEntry {
  return { pid, parent, program: undefined, folder: undefined, args: [], started: "1", runId: undefined, ...rest };
}

function orphans(...entries: ProcessEntry[]): string[] {
  return orphansOf(clone, [init, ...entries]).map(({ pid, part }) => `${part} ${pid}`);
}

it("processes adopted by the first process are orphans, with their children", () => {
  expect(orphans(entry(10, 1, languageHost), entry(11, 10, program), entry(12, 1, plugin))).toEqual([
    "language host 10",
    "program 11",
    "plugin 12",
  ]);
});

it("processes below an engine are not orphans, whoever started it", () => {
  const engine = entry(9, 1, { program: "pulumi", folder: clone });
  expect(orphans(engine, entry(10, 9, languageHost), entry(11, 10, program), entry(12, 9, plugin))).toEqual([]);
});

it("a process adopted by another one is an orphan if it comes from a run", () => {
  const session = entry(8, 1, { program: "systemd", folder: "/" });
  expect(orphans(session, entry(10, 8, { ...languageHost, runId: "a-run" }))).toEqual(["language host 10"]);
});

it("a process that was started in a shell is not an orphan", () => {
  const shell = entry(8, 1, { program: "bash", folder: clone });
  expect(orphans(shell, entry(12, 8, plugin))).toEqual([]);
});

it("a process with an invisible parent is not an orphan, because that can be an engine", () => {
  expect(orphans(entry(10, 99, { ...languageHost, runId: "a-run" }))).toEqual([]);
  const closed = entry(8, 1, {});
  expect(orphans(closed, entry(10, 8, { ...languageHost, runId: "a-run" }))).toEqual([]);
});

it("processes of another project are not orphans, even if its path starts with this one's", () => {
  expect(orphans(entry(10, 1, { ...languageHost, folder: "/home/ana/clone-2/infra" }))).toEqual([]);
  expect(orphans(entry(10, 1, { ...languageHost, folder: undefined }))).toEqual([]);
});

it("other programs in the project directory are not orphans", () => {
  const server = { program: "node", folder: clone, args: ["node", `${clone}/app.js`, `${clone}/infra/provider.ts`] };
  expect(orphans(entry(10, 1, server), entry(11, 1, { program: "vim", folder: clone }))).toEqual([]);
});
