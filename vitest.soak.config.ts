import { defineConfig } from "vitest/config";

/** What `npm run test:soak` runs: the fault tests with large numbers, one after the other. `PGW_SOAK_RUNS` and `PGW_SOAK_SEED` choose how many and which. */
export default defineConfig({
  test: {
    include: ["test/soak/**/*.test.ts"],
    globalSetup: ["test/embedded/setup.ts"],
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 180_000,
  },
});
