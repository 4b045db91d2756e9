import { readCatalog } from "../catalog/catalog.ts";
import { compareCatalogs, type Difference } from "../catalog/compare.ts";
import { withScratchDatabase } from "../scratch/scratch-database.ts";
import { withClient } from "../target/client.ts";
import type { Connection } from "../target/connection.ts";
import { type CommittedMigration, readCommitted } from "./committed.ts";
import { replay } from "./replay.ts";
import { readKnownStatus, requireNoProblems } from "./verify.ts";

export interface SchemaDrift {
  /** How many applied files were compared with. */
  migrations: number;
  /** How many objects they make. */
  objects: number;
  differences: Difference[];
}

/**
 * Compares a database's schema with what its applied migrations make in a scratch database.
 *
 * @param admin who may make the scratch database
 * @throws OperationError where files and records do not fit, or no scratch database can be made
 */
export async function readSchemaDrift(connection: Connection, admin: Connection, folder: string): Promise<SchemaDrift> {
  const { applied, problems } = await readKnownStatus(connection, folder);
  requireNoProblems(problems);
  const names = new Set(applied.map(({ filename }) => filename));
  const files = (await readCommitted(folder)).filter(({ filename }) => names.has(filename));
  return compareWithFiles(connection, admin, folder, files);
}

/** The same against these files, whatever is recorded. */
export async function compareWithFiles(
  connection: Connection,
  admin: Connection,
  folder: string,
  files: readonly CommittedMigration[],
): Promise<SchemaDrift> {
  const expected = await withScratchDatabase({ admin, like: connection }, async (scratch) => {
    await replay(scratch, admin, folder, files);
    return withClient(scratch, readCatalog, "pgroundwork scratch");
  });
  const found = await withClient(connection, readCatalog, "pgroundwork verify");
  return { migrations: files.length, objects: expected.size, differences: compareCatalogs(expected, found) };
}
