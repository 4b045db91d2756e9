import { stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { leadsNowhere, unlessAbsent } from "../core/absent.ts";
import { isCode } from "../core/atomic-file.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { isSameDirectory } from "../core/same-directory.ts";
import { claimOfOther } from "../server/data-directory-claim.ts";
import { dataHome } from "../server/locations.ts";
import { claimantOf } from "./docker-claim.ts";
import { projectName } from "./project.ts";
import { type StackContent, stackContent } from "./stack-content.ts";
import type { StateResource } from "./stack-state.ts";
import { setAsideCommand, stateFile } from "./state-file.ts";
import { declaredStateFolder } from "./state-folder.ts";
import { storedResources } from "./stored-state.ts";

/*
 * A copy of a project directory has the state of the original, and would work on the original's server. A directory is
 * a copy if a record names another one as the server's, and that one still has the stack with this server in its own
 * state. If the other one is gone, this directory was moved. A state outside the project directory is shared by all
 * clones, so that none of them is a copy.
 */

/** A stack in a project directory. */
export interface StackInDirectory {
  /** Project directory. */
  root: string;
  project: string;
  stack: string;
  env: NodeJS.ProcessEnv;
}

/** The project directory that a stack belongs to. */
export interface Original {
  clone: string;
  /** File of its state. */
  state: string;
  /** File of the state in this directory, a copy. */
  copiedState: string;
}

/** Returns the file of a stack's state if it is in the project directory. */
export function ownStateFile({ root, stack, env }: StackInDirectory): string | undefined {
  const file = stateFile(root, stack, env);
  return file === undefined || relative(root, file).startsWith("..") ? undefined : file;
}

/**
 * Finds the project directory that a stack belongs to, if this one is a copy of it.
 *
 * @param resources the stack's state in this directory
 * @returns undefined if this directory is no copy, or if no record shows that it is
 */
export async function originalOf(
  directory: StackInDirectory,
  resources: readonly StateResource[],
): Promise<Original | undefined> {
  const copiedState = ownStateFile(directory);
  if (copiedState === undefined) return undefined;
  const content = stackContent({ version: 3, deployment: { resources: [...resources] } });
  const clone = await claimant(directory, content);
  if (clone === undefined || (await isSameDirectory(clone, directory.root))) return undefined;
  const plain = join(clone, relative(directory.root, copiedState)).replace(/\.gz$/, "");
  for (const state of [plain, `${plain}.gz`])
    if ((await isThere(state)) && (await hasServer(clone, directory, content))) return { clone, state, copiedState };
  return undefined;
}

/** Finds the original as {@link originalOf} does, with the state in this directory. Reads only local files. */
export async function findOriginal(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<Original | undefined> {
  if (stateFile(root, stack, env) === undefined) return undefined;
  const directory = { root, project: await projectName(root), stack, env };
  const resources = await resourcesIn(directory);
  return resources === undefined ? undefined : originalOf(directory, resources);
}

/** Returns the error for a copy. */
export function copyError(stack: string, root: string, original: Original): OperationError {
  return new OperationError(
    `The server of stack "${stack}" belongs to the project directory ${original.clone}, and ${root} has a copy of its state. Nothing was changed.`,
    { hint: waysOut(original), exitCode: exitCode.notAllowed },
  );
}

/** Says how to continue in a copy. */
export function waysOut({ state, copiedState }: Original): string {
  return [
    "If the copy is to have a stack of its own, set aside the state that was copied; `up` then creates a new stack:",
    `    ${setAsideCommand(copiedState)}`,
    "  If this directory is to replace the other one, set aside the state there; the server then belongs to this one:",
    `    ${setAsideCommand(state)}`,
  ].join("\n");
}

async function resourcesIn({ root, project, stack, env }: StackInDirectory): Promise<StateResource[] | undefined> {
  const folder = declaredStateFolder(root, stack, env);
  if (folder === undefined) return undefined;
  try {
    const backend = pathToFileURL(dirname(folder)).href;
    return await storedResources({ root, env: { PULUMI_BACKEND_URL: backend }, project, stack });
  } catch (error) {
    // The engine reports a state that it cannot read.
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}

/** Returns the project directory in the record of the stack's server. */
async function claimant(
  { root, project, stack, env }: StackInDirectory,
  { docker, server }: StackContent,
): Promise<string | undefined> {
  if (docker !== undefined)
    return claimantOf({ home: dataHome(env, process.getuid?.()), project, stack, owner: docker.owner });
  if (server === undefined) return undefined;
  const claim = await claimOfOther(server.dataDirectory, { clone: root, project, stack });
  return claim?.record.project === project && claim.record.stack === stack ? claim.record.clone : undefined;
}

/** Returns true if the stack in another project directory has the same server, or if its state cannot be read. */
async function hasServer(clone: string, directory: StackInDirectory, content: StackContent): Promise<boolean> {
  const { root, project, stack, env } = directory;
  const folder = declaredStateFolder(root, stack, env);
  if (folder === undefined) return true;
  const backend = pathToFileURL(dirname(join(clone, relative(root, folder)))).href;
  try {
    const resources = await storedResources({ root: clone, env: { PULUMI_BACKEND_URL: backend }, project, stack });
    const there = stackContent({ version: 3, deployment: { resources } });
    return content.docker === undefined
      ? there.server?.dataDirectory === content.server?.dataDirectory
      : there.docker?.owner === content.docker.owner;
  } catch {
    return true;
  }
}

/** Returns true for a file that cannot be read, too, so that no other stack is treated as ownerless. */
async function isThere(file: string): Promise<boolean> {
  try {
    return (await unlessAbsent(stat(file), leadsNowhere)) !== undefined;
  } catch (error) {
    if (isCode(error, "EACCES")) return true;
    throw error;
  }
}
