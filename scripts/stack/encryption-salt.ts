import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";

/**
 * Removes the salt from a stack's settings file if it belongs to a lost passphrase and nothing is encrypted with it.
 *
 * @returns true if a salt was removed; false if there is none, or if an encrypted setting (`secure:`) needs it
 */
export async function dropUnusedSalt(root: string, stack: string): Promise<boolean> {
  const path = join(root, `Pulumi.${stack}.yaml`);
  if (!existsSync(path)) return false;
  const text = await readFile(path, "utf8");
  const rest = text.replace(/^encryptionsalt:.*\n?/m, "");
  if (rest === text || hasEncryptedSettings(text)) return false;
  if (rest.trim() === "") await rm(path);
  else writeFileAtomically(path, rest);
  return true;
}

/** Returns true if a settings file has encrypted settings (`secure:`), as a block or as in JSON. */
export function hasEncryptedSettings(text: string): boolean {
  return /\bsecure["']?\s*:/.test(text);
}
