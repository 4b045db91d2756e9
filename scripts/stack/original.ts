import { stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { leadsNowhere, unlessAbsent } from "../core/absent.ts";
import { isCode } from "../core/atomic-file.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { isSameDirectory } from "../core/same-directory.ts";
import { shellQuote } from "../core/shell.ts";
import { downCommand, upCommand } from "../model/command-lines.ts";
import { claimOfOther } from "../server/data-directory-claim.ts";
import { dataHome } from "../server/locations.ts";
import { recordFile } from "../server/server-record.ts";
import { claimantOf, claimFile } from "./docker-claim.ts";
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
  /** File that records the directory as the server's. */
  record: string;
  /** Command lines that record this directory instead, once that file is gone. */
  recording: readonly string[];
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
  const claimed = await claimOn(directory, content);
  if (claimed === undefined || (await isSameDirectory(claimed.clone, directory.root))) return undefined;
  const { clone } = claimed;
  const plain = join(clone, relative(directory.root, copiedState)).replace(/\.gz$/, "");
  for (const state of [plain, `${plain}.gz`])
    if ((await isThere(state)) && (await hasServer(clone, directory, content))) return { ...claimed, copiedState };
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
export function waysOut({ record, recording, copiedState }: Original): string {
  return [
    "If the copy is to have a stack of its own, set aside the state that was copied; `up` then creates a new stack:",
    `    ${setAsideCommand(copiedState)}`,
    "  If it is to replace the other directory, delete the record of that one, and let `up` record this one:",
    `    ${[`rm ${shellQuote(record)}`, ...recording].join(" && ")}`,
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

/** Returns the project directory in the record of the stack's server, and the file of that record. */
async function claimOn(
  { root, project, stack, env }: StackInDirectory,
  { docker, server }: StackContent,
): Promise<Omit<Original, "copiedState"> | undefined> {
  if (docker !== undefined) {
    const objects = { home: dataHome(env, process.getuid?.()), project, stack, owner: docker.owner };
    const clone = claimantOf(objects);
    return clone === undefined ? undefined : { clone, record: claimFile(objects), recording: [upCommand(stack)] };
  }
  if (server === undefined) return undefined;
  const claim = await claimOfOther(server.dataDirectory, { clone: root, project, stack });
  if (claim?.record.project !== project || claim.record.stack !== stack) return undefined;
  // It is recorded when the server starts.
  const recording = [downCommand(stack), upCommand(stack)];
  return { clone: claim.record.clone, record: recordFile(claim.folder), recording };
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
    if (content.docker !== undefined) return there.docker?.owner === content.docker.owner;
    // A stack that adopted the data has a server's folder of its own, and is not the original.
    return isDeepStrictEqual(there.server, content.server);
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
