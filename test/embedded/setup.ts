import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { ensureEngine } from "../../scripts/pulumi/ensure-engine.ts";
import { cloneRoot } from "../clone-root.ts";
import { stopHosts } from "../support/processes/hosts.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** One folder for the whole test run, which any account may enter. It contains everything that tests create. */
    scratch: string;
  }
}

/** The scratch folder of the run, for the second of the two projects that use this file. */
const variable = "PGW_TEST_SCRATCH";

/**
 * Prepares the test run: ensures an engine (found, downloaded or built, as at `up`) and creates the scratch folder.
 * Both projects share it, and with it the project directories, whose code is compiled once.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const existing = process.env[variable];
  if (existing !== undefined) {
    project.provide("scratch", existing);
    return undefined;
  }
  const scratch = await makeScratch();
  await chmod(scratch, 0o755);
  process.env[variable] = scratch;
  project.provide("scratch", scratch);
  await ensureEngine({
    root: cloneRoot,
    // Failed downloads are remembered for an hour. Refreshed here, the memory does not end during the run, in which the
    // next command would try again and print that.
    retryPlugins: true,
    onProgress: ({ step, elapsedMs }) => process.stderr.write(`engine: ${step} (${Math.round(elapsedMs / 1000)} s)\n`),
  });
  return async () => {
    delete process.env[variable];
    await stopHosts(scratch);
    await rm(scratch, { recursive: true, force: true });
  };
}

/**
 * Creates the scratch folder. Its path is the same in every run, so that Node.js finds the code that it compiled for
 * the project directories before. It is another one if a run has it or was killed.
 */
async function makeScratch(): Promise<string> {
  const usual = join(tmpdir(), "pgroundwork-test");
  try {
    await mkdir(usual);
    return usual;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return mkdtemp(`${usual}-`);
  }
}
