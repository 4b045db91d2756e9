import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFor } from "../core/temporary.ts";
import type { EngineInstallation } from "../pulumi/ensure-engine.ts";
import { fromBackend } from "./backend.ts";
import { EngineFailure, engineHint } from "./engine-failure.ts";
import { runEngine } from "./engine-process.ts";
import { lockedError } from "./stack-lock.ts";
import { requireStackSecrets } from "./stack-secrets.ts";
import { saysNoSuchStack } from "./stacks.ts";

/** A resource in the engine's state. Only the properties that are read here are listed; the others are kept. */
export interface StateResource {
  urn: string;
  type: string;
  /** Absent for components. */
  id?: string;
  /** True if the resource was replaced and still has to be deleted. */
  delete?: boolean;
  /** True if the resource was deleted and its replacement does not exist yet. */
  pendingReplacement?: boolean;
  /** Value when the resource was created. A different value replaces the resource. */
  replacementTrigger?: unknown;
  parent?: string;
  protect?: boolean;
  retainOnDelete?: boolean;
  outputs?: Record<string, unknown>;
}

/** An operation that a run had started and not finished. */
export interface PendingOperation {
  type: string;
  resource: { urn: string };
}

/** A stack's state in the format of `pulumi stack export` and `pulumi stack import`. */
export interface StackState {
  version: number;
  deployment: { resources?: StateResource[]; pending_operations?: PendingOperation[] };
}

/** A stack, and the engine that reads and writes its state. */
export interface StateAccess {
  engine: EngineInstallation;
  /** Project directory. */
  root: string;
  stack: string;
}

/**
 * Reads a stack's state.
 *
 * @param secrets true for secrets in plain text; never write such a state back
 * @returns undefined if the backend has no such stack
 * @throws OperationError if it cannot be read
 */
export async function readState(access: StateAccess, secrets = false): Promise<StackState | undefined> {
  const { engine, root, stack } = access;
  if (secrets) requireStackSecrets(engine, root, stack);
  const lines: string[] = [];
  const args = ["stack", "export", "--stack", stack, ...(secrets ? ["--show-secrets"] : [])];
  const exit = await runEngine(engine, { root, stack, args, onLine: (line) => lines.push(line) });
  if (exit.code === 0) return JSON.parse(lines.join("\n")) as StackState;
  if (saysNoSuchStack(exit.stderr)) return undefined;
  throw failure(
    access,
    `Cannot read the state of stack "${stack}"${fromBackend(root, stack, process.env)}.`,
    exit.stderr,
  );
}

/**
 * Writes a stack's state with its secrets still encrypted. The engine checks it completely, and refuses if the stack is
 * locked.
 *
 * @throws OperationError with nothing changed
 */
export async function writeState(access: StateAccess, state: StackState): Promise<void> {
  const { engine, root, stack } = access;
  requireStackSecrets(engine, root, stack);
  const file = temporaryFor(join(root, ".pgroundwork", `state-${stack}.json`));
  try {
    await writeFile(file, JSON.stringify(state), { mode: 0o600, flag: "wx" });
    const exit = await runEngine(engine, { root, stack, args: ["stack", "import", "--stack", stack, "--file", file] });
    if (exit.code !== 0) throw failure(access, `Cannot change the state of stack "${stack}".`, exit.stderr);
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * Removes a stack without resources from the backend, with its history and the backups of its state. Its settings stay.
 * Does nothing if the stack is already gone.
 *
 * @throws OperationError
 */
export async function removeState(access: StateAccess): Promise<void> {
  const { engine, root, stack } = access;
  const args = ["stack", "rm", stack, "--preserve-config", "--remove-backups", "--yes"];
  const exit = await runEngine(engine, { root, stack, args });
  if (exit.code === 0 || saysNoSuchStack(exit.stderr)) return;
  throw failure(access, `Cannot remove the state of stack "${stack}".`, exit.stderr);
}

function failure({ root, stack }: StateAccess, headline: string, stderr: string): Error {
  const messages = [stderr.trim()];
  return (
    lockedError(stack, messages) ?? new EngineFailure(headline, messages, false, engineHint(messages, root, stack))
  );
}
