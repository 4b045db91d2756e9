import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { EngineInstallation } from "../pulumi/ensure-engine.ts";
import { backendVariables, overruledBackend } from "./backend.ts";
import { dropUnusedSalt } from "./encryption-salt.ts";
import { EngineFailure, engineHint } from "./engine-failure.ts";
import { runEngine, runOnStack } from "./engine-process.ts";
import { localStack } from "./local-stack.ts";
import type { Stack } from "./stack.ts";
import { lockedError } from "./stack-locked.ts";

export { localStack };

/** A stack that has a state or a settings file. */
export interface StackEntry {
  name: string;
  /** True if the stack has a state in the backend. */
  deployed: boolean;
  /** Time of the last change, ISO 8601. */
  lastUpdate: string | undefined;
  resources: number | undefined;
}

/** Lists the stacks with a settings file (`Pulumi.<stack>.yaml`), and the local one. */
export async function declaredStacks(root: string): Promise<string[]> {
  const files = await readdir(root);
  const named = files.flatMap((file) => /^Pulumi\.([A-Za-z0-9_.-]+)\.yaml$/.exec(file)?.[1] ?? []);
  return [...new Set([localStack, ...named])].sort();
}

/** Returns true if the engine says that a stack has no state. */
export function saysNoSuchStack(stderr: string): boolean {
  return /no stack named/.test(stderr);
}

/** Creates the state of the local stack, or of a stack that has a settings file. */
export async function initialiseStack(stack: Stack): Promise<void> {
  const { root, name } = stack;
  await requireDeclared(root, name);
  const init = () => runOnStack(stack, { args: ["stack", "init", name, "--no-select"] });
  let exit = await init();
  // The passphrase was lost together with the state, and the salt in the local stack's file belongs to the old one.
  if (
    exit.code !== 0 &&
    name === localStack &&
    /incorrect passphrase/.test(exit.stderr) &&
    (await dropUnusedSalt(root, name))
  )
    exit = await init();
  // Another `up` may have been faster.
  if (exit.code === 0 || /already exists/.test(exit.stderr)) return;
  throw (
    lockedError(name, [exit.stderr]) ??
    new EngineFailure(
      `Cannot create the stack "${name}".`,
      [exit.stderr.trim()],
      false,
      engineHint([exit.stderr], root, name),
    )
  );
}

/**
 * Requires a settings file, so that a typing error does not become an environment.
 *
 * @throws OperationError (wrong usage)
 */
export async function requireDeclared(root: string, stack: string): Promise<void> {
  if (stack === localStack || existsSync(join(root, `Pulumi.${stack}.yaml`))) return;
  const known = await declaredStacks(root);
  throw new OperationError(`The stack "${stack}" does not exist. Existing stacks: ${known.join(", ")}.`, {
    hint: `To declare it, add the settings file Pulumi.${stack}.yaml (it may be empty: {}).`,
    exitCode: exitCode.usage,
  });
}

/**
 * Lists every stack that has a state or a settings file. The local stack's state is only looked up in the project's own
 * backend.
 */
export async function listStacks(engine: EngineInstallation, root: string): Promise<StackEntry[]> {
  const isElsewhere = overruledBackend(root, localStack, process.env) !== undefined;
  const ofLocal = backendVariables(root, localStack, process.env);
  const all = await deployedStacks(engine, root);
  const local = (entries: StackEntry[], isLocal: boolean) =>
    entries.filter(({ name }) => (name === localStack) === isLocal);
  const deployed = isElsewhere
    ? [...local(all, false), ...local(await deployedStacks(engine, root, ofLocal), true)]
    : all;
  const names = new Set(deployed.map(({ name }) => name));
  const declared = (await declaredStacks(root)).filter((name) => !names.has(name));
  const undeployed = declared.map((name) => ({ name, deployed: false, lastUpdate: undefined, resources: undefined }));
  return [...deployed, ...undeployed].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function deployedStacks(engine: EngineInstallation, root: string, variables = {}): Promise<StackEntry[]> {
  const lines: string[] = [];
  const args = ["stack", "ls", "--json"];
  const exit = await runEngine(engine, { root, args, onLine: (line) => lines.push(line), variables });
  if (exit.code !== 0) throw new OperationError(`Cannot list the stacks: ${exit.stderr.trim()}`);
  const entries = JSON.parse(lines.join("\n")) as { name: string; lastUpdate?: string; resourceCount?: number }[];
  return entries.map(({ name, lastUpdate, resourceCount }) => ({
    name: name.slice(name.lastIndexOf("/") + 1),
    deployed: true,
    lastUpdate,
    resources: resourceCount,
  }));
}
