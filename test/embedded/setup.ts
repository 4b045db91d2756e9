import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { ensureEngine } from "../../scripts/engine/ensure-engine.ts";
import { cloneRoot } from "../clone-root.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** One folder for the whole run, which any account may enter; everything that tests make lies below it. */
    scratch: string;
  }
}

/** Before the first test: an engine (found, downloaded or built, as `up` would), and a folder for what the tests make. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scratch = await mkdtemp(join(tmpdir(), "pgroundwork-test-"));
  await chmod(scratch, 0o755);
  project.provide("scratch", scratch);
  await ensureEngine({
    root: cloneRoot,
    onProgress: ({ step, elapsedMs }) => process.stderr.write(`engine: ${step} (${Math.round(elapsedMs / 1000)} s)\n`),
  });
  return () => rm(scratch, { recursive: true, force: true });
}
