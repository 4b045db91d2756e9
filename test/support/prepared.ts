import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { claimFile } from "./project-directory.ts";

const run = promisify(execFile);

/**
 * Makes a folder that takes long to make. The first test that needs it makes it; all tests of the run share it.
 *
 * @param store folder of the prepared folders
 * @param name name that says all that the content depends on
 * @param make fills the folder that it is given and leaves it unused
 * @returns path of the folder, which tests do not change
 */
export async function prepareOnce(
  store: string,
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const prepared = join(store, name);
  await mkdir(store, { recursive: true, mode: 0o755 });
  while (!existsSync(prepared)) await makeOrWait(prepared, make);
  return prepared;
}

/**
 * Copies a folder that {@link prepareOnce} makes.
 *
 * @param target path of the copy, which must not exist yet
 */
export async function copyPrepared(
  store: string,
  name: string,
  target: string,
  make: (folder: string) => Promise<void>,
): Promise<void> {
  const prepared = await prepareOnce(store, name, make);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  // Keeps owners and modes. PostgreSQL refuses a data directory of another owner.
  await run("cp", ["-a", prepared, target]);
}

async function makeOrWait(prepared: string, make: (folder: string) => Promise<void>): Promise<void> {
  const claim = `${prepared}.claimed`;
  if (!(await claimFile(claim))) return sleep(50);
  const unfinished = `${prepared}.unfinished`;
  try {
    // Another test may have finished it just before the claim.
    if (existsSync(prepared)) return;
    await make(unfinished);
    await rename(unfinished, prepared);
  } finally {
    // After a failure, the next test makes it.
    await rm(unfinished, { recursive: true, force: true });
    await rm(claim);
  }
}
