import { chmod, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { OperationError } from "../core/operation-error.ts";

/**
 * Creates a folder that other accounts can enter, with any umask. The server's account must pass through it. Existing
 * folders stay as they are.
 */
export async function makeEnterable(folder: string): Promise<void> {
  let first: string | undefined;
  try {
    first = await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new OperationError(`Cannot create the folder ${folder}: ${(cause as Error).message}`, {
      hint: "Create it, or give this user permission. Or choose another folder with pgroundwork:dataDirectory or XDG_DATA_HOME.",
      cause,
    });
  }
  if (first === undefined) return;
  for (let made = folder; made.startsWith(first); made = dirname(made)) await chmod(made, 0o755);
}
