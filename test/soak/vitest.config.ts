import { defineConfig } from "vitest/config";

/**
 * Configuration of `npm run test:soak`: fault tests with many repetitions, one after the other. `PGW_SOAK_RUNS`,
 * `PGW_SOAK_SEED` and `PGW_SOAK_FIRST` set their number, their random numbers and the first one to run.
 */
export default defineConfig({
  test: {
    include: ["test/soak/**/*.test.ts"],
    globalSetup: ["test/embedded/setup.ts"],
    setupFiles: ["test/support/each-file.ts"],
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 180_000,
  },
});
