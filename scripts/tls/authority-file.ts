import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "../engine/atomic-file.ts";

/** Where a clone keeps the authorities that a stack's server is trusted by, below the clone: psql, libpq and the postgresql provider want a file. */
export function authorityFile(stack: string): string {
  return join(".pgroundwork", `ca-${stack}.pem`);
}

/**
 * Writes the authorities of a stack where they are looked for, unless they are there. They are public.
 *
 * @param root the clone
 * @returns the file, absolute
 */
export function writeAuthorityFile(root: string, stack: string, bundle: string): string {
  const file = join(root, authorityFile(stack));
  if (readFileIfThere(file) !== bundle) writeFileAtomically(file, bundle, 0o644);
  return file;
}
