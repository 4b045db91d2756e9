import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { EngineInstallation } from "../engine/ensure-engine.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { dropUnusedSalt } from "./encryption-salt.ts";
import { runEngine } from "./engine-process.ts";
import { lockedError } from "./stack-lock.ts";

/** The stack of a clone's own, made when it is first needed. */
export const localStack = "local";

/** A stack that is there, or could be. */
export interface StackEntry {
  name: string;
  /** Whether it has a state in the backend. */
  deployed: boolean;
  /** When it was last changed, ISO 8601. */
  lastUpdate: string | undefined;
  resources: number | undefined;
}

/** Stacks that a settings file names (`Pulumi.<stack>.yaml`), and the local one. */
export async function declaredStacks(root: string): Promise<string[]> {
  const files = await readdir(root);
  const named = files.flatMap((file) => /^Pulumi\.([A-Za-z0-9_.-]+)\.yaml$/.exec(file)?.[1] ?? []);
  return [...new Set([localStack, ...named])].sort();
}

/** The engine's answer when a stack has no state. */
export function saysNoSuchStack(stderr: string): boolean {
  return /no stack named/.test(stderr);
}

/** Makes the stack's state where it may be made: the local stack, and every other that a settings file names. */
export async function initialiseStack(engine: EngineInstallation, root: string, stack: string): Promise<void> {
  await requireDeclared(root, stack);
  const init = () => runEngine(engine, { root, args: ["stack", "init", stack, "--no-select"] });
  let exit = await init();
  // The clone's passphrase was lost together with the state: the salt in the local stack's file belongs to the old one.
  const isOwnPassphrase = stack === localStack && "PULUMI_CONFIG_PASSPHRASE_FILE" in engine.environment;
  if (
    exit.code !== 0 &&
    isOwnPassphrase &&
    /incorrect passphrase/.test(exit.stderr) &&
    (await dropUnusedSalt(root, stack))
  )
    exit = await init();
  // Another `up` may have been quicker.
  if (exit.code === 0 || /already exists/.test(exit.stderr)) return;
  throw (
    lockedError(stack, [exit.stderr]) ??
    new OperationError(`The stack "${stack}" could not be made: ${exit.stderr.trim()}`)
  );
}

/** @throws OperationError (wrong usage) for a name that no settings file has: a typing error must not become an environment */
export async function requireDeclared(root: string, stack: string): Promise<void> {
  if (stack === localStack || existsSync(join(root, `Pulumi.${stack}.yaml`))) return;
  const known = await declaredStacks(root);
  throw new OperationError(`There is no stack "${stack}". There are: ${known.join(", ")}.`, {
    remedy: `A stack is a settings file: add Pulumi.${stack}.yaml (it may be empty: {}).`,
    exitCode: exitCode.usage,
  });
}

/** Every stack that has a state or a settings file. */
export async function listStacks(engine: EngineInstallation, root: string): Promise<StackEntry[]> {
  const deployed = await deployedStacks(engine, root);
  const names = new Set(deployed.map(({ name }) => name));
  const declared = (await declaredStacks(root)).filter((name) => !names.has(name));
  const undeployed = declared.map((name) => ({ name, deployed: false, lastUpdate: undefined, resources: undefined }));
  return [...deployed, ...undeployed].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function deployedStacks(engine: EngineInstallation, root: string): Promise<StackEntry[]> {
  const lines: string[] = [];
  const exit = await runEngine(engine, { root, args: ["stack", "ls", "--json"], onLine: (line) => lines.push(line) });
  if (exit.code !== 0) throw new OperationError(`The stacks could not be listed: ${exit.stderr.trim()}`);
  const entries = JSON.parse(lines.join("\n")) as { name: string; lastUpdate?: string; resourceCount?: number }[];
  return entries.map(({ name, lastUpdate, resourceCount }) => ({
    name: name.slice(name.lastIndexOf("/") + 1),
    deployed: true,
    lastUpdate,
    resources: resourceCount,
  }));
}
