import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** What `npm test` runs. Tests need nothing of each other: every one has its own database, port and folder. */
export default defineConfig({
  test: {
    // Much of the time a test waits for servers and engines, which are processes of their own; the default leaves a processor idle.
    maxWorkers: availableParallelism() + 1,
    // CI takes its closing line from the runner's own counts.
    reporters: process.env.CI ? ["default", ["json", { outputFile: ".pgroundwork/test-results.json" }]] : ["default"],
    projects: [
      // Tests are not timed: the limit ends one that hangs, on a busy machine, too.
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "embedded",
          include: ["test/embedded/**/*.test.ts"],
          globalSetup: ["test/embedded/setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "docker",
          include: ["test/docker/**/*.test.ts"],
          // The stacks' tests need the Pulumi engine and a folder, too.
          globalSetup: ["test/docker/setup.ts", "test/embedded/setup.ts"],
          runner: "test/docker/runner.ts",
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
