import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { AlternatingSequencer } from "./test/support/alternating-sequencer.ts";

/**
 * Tests mostly wait: for servers, engines and containers. With few workers, processors would be idle. A worker and all
 * that it starts take about 1 GB, so machines with many processors start fewer for each.
 */
const processors = availableParallelism();
const maxWorkers = Math.max(2 * processors, Math.min(3 * processors, 8));

/** Limit of `expect.poll` in ms, whose default of 1 s ends tests on a busy machine. */
const expectations = { poll: { timeout: 30_000 } };

/** Configuration of `npm test`. Tests are independent: each has its own database, port and folder. */
export default defineConfig({
  test: {
    maxWorkers,
    sequence: { sequencer: AlternatingSequencer },
    // The last line of CI has the counts from this file.
    reporters: process.env.CI ? ["default", ["json", { outputFile: ".pgroundwork/test-results.json" }]] : ["default"],
    projects: [
      // The timeouts do not measure speed: they only end tests that hang, even on a busy machine.
      // Test files share the modules that a worker has loaded, because loading takes longer than the tests.
      {
        test: {
          name: "unit",
          expect: expectations,
          include: ["test/unit/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          isolate: false,
        },
      },
      // Tests that need servers, engines and containers. One project for all of them: Vitest ends a worker if the next
      // file is of another project, and the files of both folders alternate.
      {
        test: {
          name: "servers",
          expect: expectations,
          include: ["test/embedded/**/*.test.ts", "test/docker/**/*.test.ts"],
          isolate: false,
          globalSetup: ["test/docker/setup.ts", "test/embedded/setup.ts"],
          setupFiles: ["test/support/each-file.ts"],
          runner: "test/support/runner.ts",
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
