import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { type EngineInstallation, ensureEngine } from "../../scripts/pulumi/ensure-engine.ts";
import { cloneRoot } from "../clone-root.ts";
import { stopHosts } from "../support/processes/hosts.ts";
import { quickCache } from "../support/processes/quick-engine.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** One folder for the whole test run, which any account may enter. It contains everything that tests create. */
    scratch: string;
    /** XDG_CACHE_HOME of projects that run the engine of `quickCache`; empty if tests run the engine itself. */
    engineCache: string;
  }
}

/** Prepares the test run: ensures an engine (found, downloaded or built, as at `up`) and creates the scratch folder. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scratch = await makeScratch();
  await chmod(scratch, 0o755);
  const engineCache = (await quickCache(await prepareEngine(process.env))) ?? "";
  if (engineCache !== "") await prepareEngine({ ...process.env, XDG_CACHE_HOME: engineCache });
  project.provide("scratch", scratch);
  project.provide("engineCache", engineCache);
  return async () => {
    await stopHosts(scratch);
    await rm(scratch, { recursive: true, force: true });
  };
}

function prepareEngine(env: NodeJS.ProcessEnv): Promise<EngineInstallation> {
  return ensureEngine({
    root: cloneRoot,
    env,
    // Failed downloads are remembered for an hour. Refreshed here, the memory does not end during the run, in which the
    // next command would try again and print that.
    retryPlugins: true,
    onProgress: ({ step, elapsedMs }) => process.stderr.write(`engine: ${step} (${Math.round(elapsedMs / 1000)} s)\n`),
  });
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
