import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { EngineInstallation } from "../../../scripts/pulumi/ensure-engine.ts";
import { findGoFunctions } from "./go-functions.ts";

/** The user's cache folder. */
const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");

/** Iterations of PBKDF2 with which Pulumi derives the key of a stack's secrets from its passphrase. */
const realIterations = 1_000_000;
/** Iterations in tests. A state that was written with these can only be read with these. */
const quickIterations = 1_000;

/** Variable with the iterations of the engine that a project's commands run, unless they are the real ones. */
const iterationsVariable = "PGW_TEST_KEY_ITERATIONS";

/**
 * Code of the engine for x86-64 that passes the iterations and the length of the key: `mov $1000000, %r9d` and
 * `mov $32, %r10d`.
 */
const passesIterations = Buffer.from("41b940420f0041ba20000000", "hex");
const iterationsOffset = 2;

/** Machine code for x86-64 that returns. */
const returns = "c3";
/** Machine code for x86-64 that sets the registers of the first three results to zero (nil), and returns. */
const returnsNothing = "31c031db31c9c3";

/**
 * Functions of the engine that the copy does not have, each with the code in their place.
 *
 * - Two packages load word lists at the start of every command, which only `pulumi config set` and `pulumi env set`
 *   need, to warn of values that look like a password. It takes 0.08 s of CPU time, half of a command's start.
 * - The engine writes a compressed log of every command to its home, at full verbosity. It takes another 0.1 s of an
 *   `up` without changes.
 */
export const leftOut: Readonly<Record<string, string>> = {
  "github.com/nbutton23/zxcvbn-go/frequency.init.0": returns,
  "github.com/ccojocar/zxcvbn-go/frequency.init.0": returns,
  "github.com/pulumi/pulumi/pkg/v3/logging.StartLogging": returnsNothing,
};

/** Name of the copy's cache folder. It changes with the changes of the copy. */
const edition = "engine-2";

/**
 * Makes a cache folder (XDG_CACHE_HOME) with a copy of the engine that derives keys with fewer iterations, and without
 * the functions in {@link leftOut}. The derivation makes guessing slow and takes a quarter of a second of CPU time in
 * each operation. Everything else is equal. The folder stays for later runs, with its compile cache.
 *
 * @returns undefined if the engine is the user's own, or if its code does not have the expected place: then tests run
 * the engine itself
 */
export async function quickCache({ pulumi, languageHost, source }: EngineInstallation): Promise<string | undefined> {
  if (source === "path") return undefined;
  const cache = join(cacheHome, "pgroundwork-test", edition);
  const original = dirname(dirname(pulumi));
  const folder = join(cache, "pgroundwork", "engine", basename(original));
  const manifest = await readFile(join(original, "engine.json"), "utf8");
  if ((await readFile(join(folder, "engine.json"), "utf8").catch(() => undefined)) === manifest) return cache;
  const binary = await readFile(pulumi);
  const place = binary.indexOf(passesIterations);
  if (place === -1 || binary.includes(passesIterations, place + 1)) return undefined;
  binary.writeUInt32LE(quickIterations, place + iterationsOffset);
  for (const [name, offset] of findGoFunctions(binary, Object.keys(leftOut)))
    binary.write(leftOut[name] ?? "", offset, "hex");
  await mkdir(dirname(folder), { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  await chmod(made, 0o755);
  await mkdir(join(made, "bin"));
  await writeFile(join(made, "bin", "pulumi"), binary, { mode: 0o755 });
  await copyFile(languageHost, join(made, "bin", "pulumi-language-nodejs"));
  await writeFile(join(made, "engine.json"), manifest);
  await rm(folder, { recursive: true, force: true });
  // Another run may have made it at the same time.
  await rename(made, folder).catch(() => rm(made, { recursive: true, force: true }));
  return cache;
}

/**
 * Returns environment variables with the engine that a project's commands run.
 *
 * @param quick folder of {@link quickCache}; if empty, they run the engine itself
 */
export function engineVariables(quick: string): { XDG_CACHE_HOME: string } {
  if (quick === "") return { XDG_CACHE_HOME: cacheHome };
  return { XDG_CACHE_HOME: quick, ...{ GOGC: "400", [iterationsVariable]: String(quickIterations) } };
}

/** Returns the iterations of the engine that commands with these variables run. */
export function keyIterations(env: NodeJS.ProcessEnv): number {
  return Number(env[iterationsVariable] ?? realIterations);
}
