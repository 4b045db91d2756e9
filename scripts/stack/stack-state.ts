import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFor } from "../core/temporary.ts";
import { fromBackend } from "./backend.ts";
import { EngineFailure, engineHint } from "./engine-failure.ts";
import { readOnStack, runOnStack } from "./engine-process.ts";
import type { Stack } from "./stack.ts";
import { lockedError } from "./stack-locked.ts";
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
  inputs?: Record<string, unknown>;
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

/**
 * Reads a stack's state.
 *
 * @param secrets true for secrets in plain text; never write such a state back
 * @returns undefined if the backend has no such stack
 * @throws OperationError if it cannot be read
 */
export async function readState(stack: Stack, secrets = false): Promise<StackState | undefined> {
  const { root, name } = stack;
  if (secrets) requireStackSecrets(stack);
  const args = ["stack", "export", "--stack", name, ...(secrets ? ["--show-secrets"] : [])];
  const exit = await readOnStack(stack, args);
  if (exit.code === 0) return JSON.parse(exit.stdout) as StackState;
  if (saysNoSuchStack(exit.stderr)) return undefined;
  throw failure(stack, `Cannot read the state of stack "${name}"${fromBackend(root, name, process.env)}.`, exit.stderr);
}

/**
 * Returns a value of a state as text. In a state that was read with its secrets, a secret has its value as JSON. In
 * others, a secret is undefined.
 */
export function plainText(value: unknown): string | undefined {
  const plain = plainValue(value);
  return typeof plain === "string" || typeof plain === "number" ? String(plain) : undefined;
}

/** Key and value with which the engine marks a secret in a state. */
const secretMark = ["4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"] as const;

/** Returns a value of a state that was read with its secrets, with each of them as it is. */
export function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== "object" || value === null) return value;
  const object = value as Record<string, unknown>;
  if (object[secretMark[0]] === secretMark[1] && typeof object.plaintext === "string")
    return plainValue(JSON.parse(object.plaintext));
  return Object.fromEntries(Object.entries(object).map(([key, each]) => [key, plainValue(each)]));
}

/**
 * Writes a stack's state with its secrets still encrypted. The engine checks it completely, and refuses if the stack is
 * locked.
 *
 * @throws OperationError with nothing changed
 */
export async function writeState(stack: Stack, state: StackState): Promise<void> {
  requireStackSecrets(stack);
  const { root, name } = stack;
  const file = temporaryFor(join(root, ".pgroundwork", `state-${name}.json`));
  try {
    await writeFile(file, JSON.stringify(state), { mode: 0o600, flag: "wx" });
    const exit = await runOnStack(stack, { args: ["stack", "import", "--stack", name, "--file", file] });
    if (exit.code !== 0) throw failure(stack, `Cannot change the state of stack "${name}".`, exit.stderr);
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
export async function removeState(stack: Stack): Promise<void> {
  const args = ["stack", "rm", stack.name, "--preserve-config", "--remove-backups", "--yes"];
  const exit = await runOnStack(stack, { args });
  if (exit.code === 0 || saysNoSuchStack(exit.stderr)) return;
  throw failure(stack, `Cannot remove the state of stack "${stack.name}".`, exit.stderr);
}

function failure({ root, name }: Stack, headline: string, stderr: string): Error {
  const messages = [stderr.trim()];
  return lockedError(name, messages) ?? new EngineFailure(headline, messages, false, engineHint(messages, root, name));
}
