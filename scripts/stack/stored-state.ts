import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { unlessAbsent } from "../core/absent.ts";
import { OperationError } from "../core/operation-error.ts";
import { absoluteBackendUrl, projectBackend } from "../pulumi/backend-url.ts";
import { backendEnvironment } from "./backend.ts";
import { projectName } from "./project.ts";
import type { Stack } from "./stack.ts";
import type { StateResource } from "./stack-state.ts";
import { stateFolderOf } from "./state-folder.ts";

/** A stack whose state is read, and the environment that locates its backend. */
export interface StoredStack {
  /** Project directory. */
  root: string;
  env: NodeJS.ProcessEnv;
  project: string;
  stack: string;
}

/**
 * Reads a stack's resources from its backend, secrets encrypted, while an operation runs. A provider plugin needs this,
 * because it does not get the other resources. A local folder takes a few milliseconds; for other backends the engine
 * is called.
 *
 * During an operation, its stack is always in the backend. So a folder without it is the wrong folder, and that is an
 * error.
 *
 * @throws OperationError if the state cannot be read
 */
export async function storedResources({ root, env, project, stack }: StoredStack): Promise<StateResource[]> {
  const url =
    env.PULUMI_BACKEND_URL ||
    absoluteBackendUrl(root) ||
    projectBackend(readFileSync(join(root, "Pulumi.yaml"), "utf8"));
  const folder = stateFolderOf(url, env, root);
  if (folder === undefined) return exportedResources(root, env, stack);
  // Older engines keep the stacks of all projects in one folder.
  const text =
    (await stateText(join(folder, "stacks", project, stack))) ?? (await stateText(join(folder, "stacks", stack)));
  if (text === undefined) throw new OperationError(`Stack "${stack}" has no state in ${folder}.`);
  return resourcesIn(text, stack, folder);
}

/**
 * Reads the resources of a stack, for callers that have an engine.
 *
 * @throws OperationError if the stack has no state, or if it cannot be read
 */
export async function resourcesOf(stack: Stack): Promise<StateResource[]> {
  const { root, name } = stack;
  return storedResources({ root, env: backendEnvironment(stack), project: await projectName(root), stack: name });
}

/**
 * Reads the resources of a stack. If the state is in a local folder, no engine process is started. A stack without a
 * state has none. Other errors are reported by the operation that follows.
 */
export async function resourcesOrNone(stack: Stack): Promise<StateResource[]> {
  try {
    return await resourcesOf(stack);
  } catch (error) {
    if (error instanceof OperationError) return [];
    throw error;
  }
}

function resourcesIn(text: string, stack: string, folder: string): StateResource[] {
  try {
    const { checkpoint } = JSON.parse(text) as { checkpoint?: { latest?: { resources?: StateResource[] } } };
    return checkpoint?.latest?.resources ?? [];
  } catch (error) {
    throw new OperationError(`The state of stack "${stack}" in ${folder} is damaged.`, { cause: error });
  }
}

/** Reads a state, which the engine can compress if it is configured to. */
async function stateText(path: string): Promise<string | undefined> {
  const plain = await unlessAbsent(readFile(`${path}.json`, "utf8"));
  if (plain !== undefined) return plain;
  const compressed = await unlessAbsent(readFile(`${path}.json.gz`));
  return compressed && gunzipSync(compressed).toString("utf8");
}

async function exportedResources(root: string, env: NodeJS.ProcessEnv, stack: string): Promise<StateResource[]> {
  const args = ["stack", "export", "--stack", stack, "--non-interactive"];
  try {
    const { stdout } = await promisify(execFile)("pulumi", args, { cwd: root, env, maxBuffer: 2 ** 28 });
    const { deployment } = JSON.parse(stdout) as { deployment?: { resources?: StateResource[] } };
    return deployment?.resources ?? [];
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new OperationError(`Cannot read the state of stack "${stack}": ${(stderr || message).trim()}`, {
      cause: error,
    });
  }
}
