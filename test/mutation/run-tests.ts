import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/** Result of a run of test files. */
export interface TestRun {
  /** Names of failed tests, and of files that failed outside a test. */
  failed: string[];
  /** Output of the test runner. */
  output: string;
}

/** The part of vitest's JSON report that is used here. */
interface Report {
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

/**
 * Runs test files in a project directory.
 *
 * @param bail true to stop at the first failure
 * @throws Error if the test runner does not report a result for every file
 */
export async function runTests(root: string, tests: readonly string[], bail: boolean): Promise<TestRun> {
  const folder = await mkdtemp(join(tmpdir(), "mutation-report-"));
  try {
    const report = join(folder, "report.json");
    const reporter = ["--reporter=json", `--outputFile=${report}`];
    // A snapshot that differs is a failure, and is never written.
    const options = ["--maxWorkers=1", "--update=none", ...reporter, ...(bail ? ["--bail=1"] : [])];
    const output = await vitest(root, ["run", ...options, ...tests]);
    const text = await readFile(report, "utf8").catch(() => undefined);
    if (text === undefined) throw new Error(`The test runner wrote no report:\n${output}`);
    return { failed: failures(root, tests, JSON.parse(text), output), output };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function failures(root: string, tests: readonly string[], { testResults }: Report, output: string): string[] {
  const failed = testResults
    .filter(({ status }) => status === "failed")
    .flatMap(({ name, assertionResults }) => {
      const names = assertionResults.filter((test) => test.status === "failed").map((test) => test.fullName);
      return names.length > 0 ? names : [relative(root, name)];
    });
  const isRun = ({ status }: { status: string }) => status === "passed" || status === "failed";
  const reported = new Set(
    testResults.filter(({ assertionResults }) => assertionResults.some(isRun)).map(({ name }) => relative(root, name)),
  );
  const silent = tests.filter((file) => !reported.has(file));
  // After a failure the runner leaves out the other files.
  if (failed.length === 0 && silent.length > 0)
    throw new Error(`The test runner ran no test of ${silent.join(", ")}:\n${output}`);
  return failed;
}

function vitest(root: string, args: readonly string[]): Promise<string> {
  const cli = join(root, "node_modules", "vitest", "vitest.mjs");
  // With CI, the runner's configuration has a report of its own.
  const { CI: _, ...environment } = process.env;
  const env = { ...environment, NO_COLOR: "1" };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}
