import { inject, TestRunner, type TestRunnerConfig } from "vitest";

/** Skips every test, and so the hooks of every file, where no Docker engine answers: no test file has to ask for itself. */
export default class DockerTestRunner extends TestRunner {
  constructor(config: TestRunnerConfig) {
    // No name matches it.
    super(inject("dockerSkipped") === "" ? config : { ...config, testNamePattern: /(?!)/ });
  }
}
