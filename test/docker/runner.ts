import { inject, TestRunner, type TestRunnerConfig } from "vitest";

/**
 * Skips every test, and with it the hooks of every file, if no Docker engine is reachable. Test files need no check of
 * their own.
 */
export default class DockerTestRunner extends TestRunner {
  constructor(config: TestRunnerConfig) {
    // The pattern matches no name.
    super(inject("dockerSkipped") === "" ? config : { ...config, testNamePattern: /(?!)/ });
  }
}
