/**
 * Prints what a run of the tests left in its JSON reports: the slowest files, what passed only in the second try, and
 * the counts as the last line.
 *
 * With `--failed`, prints the files of the failed tests instead, if there are few enough to try them again: a change
 * that breaks something usually breaks more than three tests.
 *
 *     node .ci/summary.mjs [--failed] REPORT [REPORT_OF_SECOND_TRY]
 */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";

/** Limits how many failed tests are tried again. */
const maxTriedAgain = 3;

const { values, positionals } = parseArgs({ options: { failed: { type: "boolean" } }, allowPositionals: true });
const [first, second] = positionals.map((path) => JSON.parse(readFileSync(path, "utf8")));

// The runner does not count the tests of a file that fails before its first test: such a file counts as one.
const failures = ({ status, assertionResults }) => {
  const failed = assertionResults.filter((test) => test.status === "failed");
  return failed.length === 0 && status === "failed" ? [{ fullName: "(before its first test)" }] : failed;
};
const count = (files, status) =>
  files.flatMap(({ assertionResults }) => assertionResults).filter((test) => test.status === status).length;
const print = (line) => process.stdout.write(`${line}\n`);
const name = (file) => relative(process.cwd(), file.name);

const failedFiles = first.testResults.filter((file) => failures(file).length > 0);

if (values.failed) {
  const failed = failedFiles.flatMap(failures).length;
  if (failed <= maxTriedAgain) for (const file of failedFiles) print(name(file));
} else {
  const seconds = ({ startTime, endTime }) => Math.round((endTime - startTime) / 1000);
  const slowest = first.testResults.toSorted((one, other) => seconds(other) - seconds(one)).slice(0, 20);
  print("slowest files, in seconds:");
  for (const file of slowest) print(`${String(seconds(file)).padStart(6)}  ${name(file)}`);

  const again = new Map((second?.testResults ?? []).map((file) => [file.name, file]));
  for (const file of failedFiles) {
    const secondTry = again.get(file.name);
    if (!secondTry || failures(secondTry).length > 0) continue;
    for (const { fullName } of failures(file)) print(`passed only in the second try: ${name(file)} ${fullName}`);
  }
  const results = first.testResults.map((file) => again.get(file.name) ?? file);
  const skipped = first.numPendingTests;
  const counts = [`${count(results, "passed")} passed`, `${results.flatMap(failures).length} failed`];
  print([...counts, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(", "));
}
