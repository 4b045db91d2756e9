import { chmod, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyWorkTree } from "../support/work-tree.ts";
import { describeMutation, type Mutation, mutationFault, withMutation } from "./mutation.ts";
import { clientMutations } from "./mutations/client.ts";
import { databaseMutations } from "./mutations/databases.ts";
import { infraMutations } from "./mutations/infra.ts";
import { scriptMutations } from "./mutations/scripts.ts";
import { runTests } from "./run-tests.ts";

/*
 * `npm run test:mutation` checks the tests: it changes one place of the code at a time, in a copy of the work tree, and
 * runs the tests that must notice. It prints the score and the changes that no test noticed, and fails below the
 * required score. Arguments select mutations: `npm run test:mutation -- migrations/trading`.
 */

/** Share of the mutations that tests must notice, in percent. */
const requiredScore = 90;

const print = (text: string) => process.stdout.write(`${text}\n`);

const asked = process.argv.slice(2);
const mutations = [...databaseMutations, ...infraMutations, ...scriptMutations, ...clientMutations].filter(
  (mutation) => asked.length === 0 || asked.some((part) => describeMutation(mutation).includes(part)),
);
if (mutations.length === 0) throw new Error(`No mutation contains ${asked.join(" or ")}.`);

// The test runner reports real paths.
const root = await realpath(await mkdtemp(join(tmpdir(), "pgroundwork-mutation-")));
// PostgreSQL's account, which is used under root, needs to enter the folder.
await chmod(root, 0o755);
try {
  await copyWorkTree(root);
  await requireFitting(root);
  await requirePassing(root);
  const survivors = await findSurvivors(root);
  const noticed = mutations.length - survivors.length;
  const score = (100 * noticed) / mutations.length;
  for (const survivor of survivors) print(`\nNo test noticed:\n${describeMutation(survivor)}`);
  print(`\n${noticed} of ${mutations.length} mutations were noticed (${score.toFixed(0)} %).`);
  if (score < requiredScore) process.exitCode = 1;
} finally {
  await rm(root, { recursive: true, force: true });
}

async function requireFitting(root: string): Promise<void> {
  const faults = await Promise.all(mutations.map((mutation) => mutationFault(root, mutation)));
  const texts = faults.filter((fault) => fault !== undefined);
  if (texts.length === 0) return;
  throw new Error(
    ["The list of mutations is out of date. Correct it in test/mutation/mutations:", ...texts].join("\n\n"),
  );
}

/** Without a mutation every test must pass: otherwise its failure would prove nothing. */
async function requirePassing(root: string): Promise<void> {
  const tests = [...new Set(mutations.flatMap((mutation) => mutation.tests))].sort();
  print(`${mutations.length} mutations, ${tests.length} test files. Running the tests without a mutation.`);
  const { failed, output } = await runTests(root, tests, false);
  if (failed.length > 0) throw new Error(`Tests fail without a mutation:\n- ${failed.join("\n- ")}\n${output}`);
}

async function findSurvivors(root: string): Promise<Mutation[]> {
  const survivors: Mutation[] = [];
  for (const [index, mutation] of mutations.entries()) {
    const { failed } = await withMutation(root, mutation, () => runTests(root, mutation.tests, true));
    if (failed.length === 0) survivors.push(mutation);
    const result = failed[0] === undefined ? "NOT NOTICED" : `noticed by: ${failed[0]}`;
    print(`${index + 1}/${mutations.length} ${mutation.file}: ${result}`);
  }
  return survivors;
}
