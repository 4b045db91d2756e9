import { defineConfig } from "vitest/config";

/** What `npm test` runs: unit, embedded, and docker where an engine answers. Soak and bench have their own commands. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        test: {
          name: "embedded",
          include: ["test/embedded/**/*.test.ts"],
          globalSetup: ["test/embedded/setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
