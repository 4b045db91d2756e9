import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "../connection/connection.ts";
import { readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { ignoreOwnFolder } from "../core/kit-folder.ts";
import { temporaryFor } from "../core/temporary.ts";

/**
 * Returns the path, relative to the project directory, of the file with the CA certificates of a stack's server. psql,
 * libpq and the postgresql provider need them in a file.
 *
 * @param stack its name; of a full name (`organisation/project/stack`) the last part counts
 * @param server its name, if the stack can have several
 */
export function caFile(stack: string, server?: string): string {
  // Names of stacks contain no @.
  const suffix = server === undefined ? "" : `@${encodeURIComponent(server)}`;
  return join(".pgroundwork", `ca-${stack.slice(stack.lastIndexOf("/") + 1)}${suffix}.pem`);
}

/**
 * Writes the CA certificates of a stack to that file, if its content differs. They are public.
 *
 * @param root the project directory
 * @returns the absolute path of the file
 */
export function writeCaFile(root: string, stack: string, bundle: string, server?: string): string {
  ignoreOwnFolder(root);
  const file = join(root, caFile(stack, server));
  if (readFileIfThere(file) !== bundle) writeFileAtomically(file, bundle, { mode: 0o644 });
  return file;
}

/** Removes that file, if it exists. */
export async function removeCaFile(root: string, stack: string): Promise<void> {
  await rm(join(root, caFile(stack)), { force: true });
}

/**
 * Calls `use` with a connection whose CA certificates are in a file, for programs that accept only a file. A file
 * created for it is removed afterwards.
 */
export async function withCaFile<T>(connection: Connection, use: (connection: Connection) => Promise<T>): Promise<T> {
  const { ca, ...rest } = connection;
  if (ca === undefined) return use(connection);
  const folder = temporaryFor(join(tmpdir(), "pgroundwork-ca"));
  try {
    await mkdir(folder, { mode: 0o700 });
    const sslrootcert = join(folder, "ca.pem");
    await writeFile(sslrootcert, ca);
    return await use({ ...rest, sslrootcert });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
