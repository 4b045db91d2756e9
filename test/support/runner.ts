import { relative, sep } from "node:path";
import { inject, type RunnerTestFile, TestRunner, type TestRunnerConfig } from "vitest";
import { cloneRoot } from "../clone-root.ts";

const dockerTests = `test${sep}docker${sep}`;

/** Matches no name. */
const nothing = /(?!)/;

/**
 * Skips every test, and with it the hooks of every file, of `test/docker` if no Docker engine is reachable. Test files
 * need no check of their own.
 */
export default class DockerTestRunner extends TestRunner {
  readonly #pattern: TestRunnerConfig["testNamePattern"];

  constructor(config: TestRunnerConfig) {
    super({ ...config });
    this.#pattern = config.testNamePattern;
  }

  override onCollectStart(file: RunnerTestFile): void {
    super.onCollectStart(file);
    const isSkipped = inject("dockerSkipped") !== "" && relative(cloneRoot, file.filepath).startsWith(dockerTests);
    // Vitest reads it after the file is loaded, from the configuration that the runner has at its start.
    this.config.testNamePattern = isSkipped ? nothing : this.#pattern;
  }
}
