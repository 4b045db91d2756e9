import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Takes the salt out of a stack's settings file, where it belongs to a passphrase that is lost and nothing was encrypted with it.
 *
 * @returns whether there was one to take out; false where an encrypted setting (`secure:`) still needs it
 */
export async function dropUnusedSalt(root: string, stack: string): Promise<boolean> {
  const path = join(root, `Pulumi.${stack}.yaml`);
  if (!existsSync(path)) return false;
  const text = await readFile(path, "utf8");
  const rest = text.replace(/^encryptionsalt:.*\n?/m, "");
  if (rest === text || /^\s*(- )?secure:/m.test(text)) return false;
  if (rest.trim() === "") await rm(path);
  else await writeFile(path, rest);
  return true;
}
