import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unlessAbsentSync } from "../core/absent.ts";
import { shellQuote } from "../core/shell.ts";
import { localStack } from "./local-stack.ts";
import { holderState, type LockHolder } from "./lock-holder.ts";
import { holderIn } from "./recover/stack-locks.ts";
import { declaredStateFolder } from "./state-folder.ts";

/**
 * Finds the local file with one stack's state. Returns undefined if there is none, or if the state is kept elsewhere.
 */
export function stateFile(root: string, stack: string, env: NodeJS.ProcessEnv): string | undefined {
  const folder = declaredStateFolder(root, stack, env);
  if (folder === undefined) return undefined;
  const stacks = join(folder, "stacks");
  const paths = [join(projectOf(root), stack), stack].flatMap((path) => [`${path}.json`, `${path}.json.gz`]);
  return paths.map((path) => join(stacks, path)).find((path) => existsSync(path));
}

/**
 * Finds the run that has a stack's lock and may be writing its state now. Returns undefined if there is no lock, if its
 * holder has ended, or if the state is kept elsewhere.
 */
export function livingLockHolder(root: string, stack: string, env: NodeJS.ProcessEnv): LockHolder | undefined {
  const folder = declaredStateFolder(root, stack, env);
  if (folder === undefined) return undefined;
  const locks = join(folder, "locks", "organization", projectOf(root), stack);
  const names = unlessAbsentSync(() => readdirSync(locks)) ?? [];
  return names
    .map((name) => holderIn(unlessAbsentSync(() => readFileSync(join(locks, name), "utf8")) ?? ""))
    .find((holder) => holder !== undefined && holderState(holder) !== "gone");
}

/** Returns true if a file with a state can be read completely. */
export function isWholeState(file: string): boolean {
  try {
    const content = readFileSync(file);
    JSON.parse((file.endsWith(".gz") ? gunzipSync(content) : content).toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

/**
 * Says how to start over without the state of this stack. Only its file is set aside, because the folder holds the
 * states of all stacks. `up` then adopts the data that the state described. The file is moved and not deleted.
 */
export function setAsideHint(root: string, stack: string, env: NodeJS.ProcessEnv): string {
  const file = stateFile(root, stack, env);
  const command = file === undefined ? `pulumi stack rm ${stack} --force --preserve-config` : setAsideCommand(file);
  // The kit itself removes the local stack's salt if nothing needs it.
  const salt =
    stack === localStack ? "" : ` Then delete the line "encryptionsalt" from Pulumi.${stack}.yaml, if it has one.`;
  const what = file === undefined ? "remove" : "set aside";
  return `If it is lost, ${what} the state of this stack; \`up\` then adopts the data and sets new passwords.${salt}\n    ${command}`;
}

/** Returns the command that sets a stack's state aside. The file is kept under another name. */
export function setAsideCommand(file: string): string {
  return `mv ${shellQuote(file)} ${shellQuote(`${file}.set-aside`)}`;
}

function projectOf(root: string): string {
  const text = unlessAbsentSync(() => readFileSync(join(root, "Pulumi.yaml"), "utf8")) ?? "";
  return /^name:\s*["']?([^\s"'#]+)/m.exec(text)?.[1] ?? "";
}
