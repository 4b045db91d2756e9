import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unlessAbsentSync } from "../core/absent.ts";
import { redact } from "../core/redact.ts";
import { absoluteBackendUrl, projectBackend } from "../pulumi/backend-url.ts";
import { localStack } from "./local-stack.ts";
import type { Stack } from "./stack.ts";

/**
 * Returns the variables that give the engine a stack's backend, in addition to those of the process. A variable with
 * the value undefined must not be set. The local stack always uses the project's own backend (Pulumi.yaml). A URL
 * exported for a team's stacks would move its state elsewhere.
 */
export function backendVariables(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
): Record<string, string | undefined> {
  if (!isOverruled(root, stack, env)) return {};
  // If the URL is not a folder of the project, the engine reads it from Pulumi.yaml itself.
  return { PULUMI_BACKEND_URL: absoluteBackendUrl(root) };
}

/**
 * Returns PULUMI_BACKEND_URL as the engine gets it for a stack. Returns undefined if the engine uses Pulumi.yaml or its
 * login.
 */
export function backendVariable(stack: Stack): string | undefined {
  return backendEnvironment(stack).PULUMI_BACKEND_URL || undefined;
}

/** Returns the engine's environment with the backend of a stack. */
export function backendEnvironment({ engine, root, name }: Stack): NodeJS.ProcessEnv {
  return withBackend(root, name, { ...process.env, ...engine.environment });
}

/** Returns the environment with the backend of a stack, for callers that have no engine. */
export function withBackend(root: string, stack: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, ...backendVariables(root, stack, env) };
}

/** Describes a stack's backend and its source: `s3://team (PULUMI_BACKEND_URL)`. Passwords in the URL are left out. */
export function describeBackend(root: string, stack: string, env: NodeJS.ProcessEnv): string {
  const exported = env.PULUMI_BACKEND_URL;
  const own = projectBackendUrl(root);
  // A shell that evaluated `engine env` has the project's own URL.
  if (exported && exported !== own && !isOverruled(root, stack, env)) return `${redact(exported)} (PULUMI_BACKEND_URL)`;
  return own === undefined ? "the backend of Pulumi's login" : `${redact(own)} (Pulumi.yaml)`;
}

/**
 * Formats the backend for the message that a state could not be read: ` from s3://team (PULUMI_BACKEND_URL)`. Returns
 * an empty text for the local stack, whose state belongs to the project.
 */
export function fromBackend(root: string, stack: string, env: NodeJS.ProcessEnv): string {
  return stack === localStack ? "" : ` from ${describeBackend(root, stack, env)}`;
}

/**
 * Says that PULUMI_BACKEND_URL is not used for the local stack. Returns undefined if it is used, is not set, or is the
 * project's own URL.
 */
export function overruledBackend(root: string, stack: string, env: NodeJS.ProcessEnv): string | undefined {
  if (!isOverruled(root, stack, env) || env.PULUMI_BACKEND_URL === projectBackendUrl(root)) return undefined;
  return `PULUMI_BACKEND_URL applies only to other stacks. The state of the local stack is in ${describeBackend(root, stack, env)}.`;
}

/**
 * Says where a stack's state is kept, if that may surprise the user. It may for any stack other than the local one, and
 * if PULUMI_BACKEND_URL is not used.
 */
export function backendNote(root: string, stack: string, env: NodeJS.ProcessEnv): string | undefined {
  if (stack === localStack) return overruledBackend(root, stack, env);
  return `Its state is in ${describeBackend(root, stack, env)}.`;
}

function isOverruled(root: string, stack: string, env: NodeJS.ProcessEnv): boolean {
  return stack === localStack && !!env.PULUMI_BACKEND_URL && projectBackendUrl(root) !== undefined;
}

function projectBackendUrl(root: string): string | undefined {
  const yaml = unlessAbsentSync(() => readFileSync(join(root, "Pulumi.yaml"), "utf8"));
  return yaml === undefined ? undefined : (absoluteBackendUrl(root) ?? projectBackend(yaml));
}
