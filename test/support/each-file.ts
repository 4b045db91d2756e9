import { afterAll } from "vitest";
import { cleanUpFile } from "./after-file.ts";

/**
 * Runs before each test file, also in a worker that has run others: Vitest evaluates this module for each of them.
 * After the file's own hooks, it removes what shared helpers made for the file, and restores the environment variables.
 */
const before = { ...process.env };

function restoreEnvironment(): void {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  for (const [name, value] of Object.entries(before)) if (process.env[name] !== value) process.env[name] = value;
}

// Registered before the hooks of the file.
// Vitest calls them in reverse order, so this one is the last.
afterAll(async () => {
  restoreEnvironment();
  await cleanUpFile();
});
