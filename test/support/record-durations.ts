import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { cloneRoot } from "../clone-root.ts";

/**
 * Writes durations.json from the results of the last CI run, `.pgroundwork/test-results.json`: the files that took at
 * least ten seconds. Run it when files were added, split or merged; the order of the files is all that depends on it.
 */
const results = join(cloneRoot, ".pgroundwork", "test-results.json");
const { testResults } = JSON.parse(readFileSync(results, "utf8")) as {
  testResults: { name: string; startTime: number; endTime: number }[];
};
const seconds = testResults
  .map(({ name, startTime, endTime }): [string, number] => {
    return [relative(cloneRoot, name), Math.round((endTime - startTime) / 1000)];
  })
  .filter(([, took]) => took >= 10)
  .toSorted(([, one], [, other]) => other - one);
writeFileSync(
  join(cloneRoot, "test/support/durations.json"),
  `${JSON.stringify(Object.fromEntries(seconds), null, 2)}\n`,
);
