import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "../engine/atomic-file.ts";
import type { Connection } from "../target/connection.ts";

/**
 * Where a clone keeps the authorities that a stack's server is trusted by, below the clone: psql, libpq and the postgresql provider want a file.
 *
 * @param stack its name; of a full one (`organisation/project/stack`) what comes last
 */
export function authorityFile(stack: string): string {
  return join(".pgroundwork", `ca-${stack.slice(stack.lastIndexOf("/") + 1)}.pem`);
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

/** Hands a connection to `use` whose authorities are in a file, for programs that take nothing else; one made for it is gone afterwards. */
export async function withAuthorityFile<T>(
  connection: Connection,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { ca, ...rest } = connection;
  if (ca === undefined) return use(connection);
  const folder = await mkdtemp(join(tmpdir(), "pgroundwork-ca-"));
  try {
    const sslrootcert = join(folder, "ca.pem");
    await writeFile(sslrootcert, ca);
    return await use({ ...rest, sslrootcert });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
