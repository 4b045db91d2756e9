import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineInstallation } from "../engine/ensure-engine.ts";
import { EngineFailure, engineRemedy } from "./engine-failure.ts";
import { runEngine } from "./engine-process.ts";
import { lockedError } from "./stack-lock.ts";
import { requireStackSecrets } from "./stack-secrets.ts";
import { saysNoSuchStack } from "./stacks.ts";

/** A resource in the engine's state: as much of it as is read here. What else it has is carried along. */
export interface StateResource {
  urn: string;
  type: string;
  parent?: string;
  protect?: boolean;
  retainOnDelete?: boolean;
  outputs?: Record<string, unknown>;
}

/** Something that a run had begun when it ended. */
export interface PendingOperation {
  type: string;
  resource: { urn: string };
}

/** A stack's state as `pulumi stack export` writes it and `pulumi stack import` takes it. */
export interface StackState {
  version: number;
  deployment: { resources?: StateResource[]; pending_operations?: PendingOperation[] };
}

/** Which stack, and what its state is read and written with. */
export interface StateAccess {
  engine: EngineInstallation;
  /** The clone. */
  root: string;
  stack: string;
}

/**
 * Reads a stack's state.
 *
 * @param secrets whether secrets are in it in plain text; such a state is to be read, never to be written back
 * @returns undefined: the backend has no such stack
 * @throws OperationError where it cannot be read
 */
export async function readState(access: StateAccess, secrets = false): Promise<StackState | undefined> {
  const { engine, root, stack } = access;
  if (secrets) requireStackSecrets(engine, root, stack);
  const lines: string[] = [];
  const args = ["stack", "export", "--stack", stack, ...(secrets ? ["--show-secrets"] : [])];
  const exit = await runEngine(engine, { root, args, onLine: (line) => lines.push(line) });
  if (exit.code === 0) return JSON.parse(lines.join("\n")) as StackState;
  if (saysNoSuchStack(exit.stderr)) return undefined;
  throw failure(access, `The state of stack "${stack}" could not be read.`, exit.stderr);
}

/**
 * Writes a stack's state, its secrets still encrypted. The engine checks it whole, and refuses while somebody works on the stack.
 *
 * @throws OperationError with nothing changed
 */
export async function writeState(access: StateAccess, state: StackState): Promise<void> {
  const { engine, root, stack } = access;
  requireStackSecrets(engine, root, stack);
  const file = join(root, ".pgroundwork", `state-${randomUUID()}.json`);
  try {
    await writeFile(file, JSON.stringify(state), { mode: 0o600, flag: "wx" });
    const exit = await runEngine(engine, { root, args: ["stack", "import", "--stack", stack, "--file", file] });
    if (exit.code !== 0) throw failure(access, `The state of stack "${stack}" could not be changed.`, exit.stderr);
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * Removes a stack that has no resources from the backend, with its history and the backups of its state. Its settings stay. Safe where it is gone already.
 *
 * @throws OperationError
 */
export async function removeState(access: StateAccess): Promise<void> {
  const { engine, root, stack } = access;
  const args = ["stack", "rm", stack, "--preserve-config", "--remove-backups", "--yes"];
  const exit = await runEngine(engine, { root, args });
  if (exit.code === 0 || saysNoSuchStack(exit.stderr)) return;
  throw failure(access, `The state of stack "${stack}" could not be removed.`, exit.stderr);
}

function failure({ root, stack }: StateAccess, headline: string, stderr: string): Error {
  const messages = [stderr.trim()];
  return (
    lockedError(stack, messages) ?? new EngineFailure(headline, messages, false, engineRemedy(messages, root, stack))
  );
}
