import { chmod, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { OperationError } from "../errors/operation-error.ts";

/**
 * Makes a folder and lets other accounts enter it, whatever the umask: the server's account has to pass. Folders that are there already stay as
 * they are.
 */
export async function makeEnterable(folder: string): Promise<void> {
  let first: string | undefined;
  try {
    first = await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new OperationError(`The folder ${folder} cannot be made: ${(cause as Error).message}`, {
      remedy: "Make it, or let this user make it; or choose another with pgroundwork:dataDirectory or XDG_DATA_HOME.",
      cause,
    });
  }
  if (first === undefined) return;
  for (let made = folder; made.startsWith(first); made = dirname(made)) await chmod(made, 0o755);
}
