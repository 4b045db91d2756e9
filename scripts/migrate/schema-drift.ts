import { type Catalog, objectKey, readCatalog } from "../catalog/catalog.ts";
import { compareCatalogs, type Difference } from "../catalog/compare.ts";
import { withClient } from "../connection/client.ts";
import type { ScratchDatabase } from "../scratch/scratch-database.ts";
import { type CommittedMigration, readCommitted } from "./committed.ts";
import { type Replay, replay, type TrialOptions, withReplay } from "./replay.ts";
import { readKnownStatus, requireNoProblems } from "./verify.ts";

/** PostgreSQL versions of a trial and of the live server. */
export interface TriedOn {
  /** Major version of the scratch cluster. */
  major: number;
  /** Major version of the live server. */
  liveMajor: number;
}

/** Result of the comparison of a live schema with what its files create. */
export interface SchemaDrift extends TriedOn {
  /** Number of applied files that were compared. */
  migrations: number;
  /** Number of objects that these files create. */
  objects: number;
  differences: Difference[];
  /** Hooks that were skipped because they run commands. What they create shows as a difference. */
  skippedHooks: string[];
}

/**
 * Compares a database's schema with what its applied migrations create in a scratch cluster. The scratch database
 * starts as its database.json declares it.
 *
 * @throws OperationError if files and records do not match; NotTried if the comparison is not possible
 */
export async function readSchemaDrift(options: TrialOptions): Promise<SchemaDrift> {
  const { applied, problems } = await readKnownStatus(options.connection, options.folder);
  requireNoProblems(problems);
  const names = new Set(applied.map(({ filename }) => filename));
  const files = (await readCommitted(options.folder)).filter(({ filename }) => names.has(filename));
  return compareWithFiles(options, files);
}

/** Compares a database's schema with what the given files create, whatever is recorded. */
export async function compareWithFiles(
  options: TrialOptions,
  files: readonly CommittedMigration[],
): Promise<SchemaDrift> {
  return withReplay(options, files, [], async (run) => {
    await replay(run, files);
    return { migrations: files.length, ...(await driftFrom(run, options)) };
  });
}

/** Compares the live schema, which is only read, with the current schema of a scratch database. */
export async function driftFrom(
  { scratch, skippedHooks }: Replay,
  { connection }: Pick<TrialOptions, "connection">,
): Promise<Omit<SchemaDrift, "migrations">> {
  const expected = declaredPart(await withClient(scratch.connection, readCatalog, "pgroundwork scratch"), scratch);
  const live = declaredPart(await withClient(connection, readCatalog, "pgroundwork verify"), {
    ...scratch,
    undeclaredExtensions: new Set(),
  });
  const tried = triedOn(scratch);
  const differences =
    tried.major === tried.liveMajor
      ? compareCatalogs(expected, live)
      : compareCatalogs(withoutMaintain(expected), withoutMaintain(live));
  return { objects: expected.size, differences, skippedHooks, ...tried };
}

/** Removes MAINTAIN (m) from the privileges. It exists since version 17, and an owner has it there by default. */
function withoutMaintain(catalog: Catalog): Catalog {
  return new Map(
    [...catalog].map(([key, object]) => {
      return [key, { ...object, definition: object.definition.replaceAll(/=([a-zA-Z*]*)m\*?\//g, "=$1/") }];
    }),
  );
}

/** Returns the versions of a trial. */
export function triedOn({ cluster, live }: Pick<ScratchDatabase, "cluster" | "live">): TriedOn {
  return { major: cluster.major, liveMajor: live.major };
}

/** Returns a warning if files were tried on another major version; undefined if it is the same. */
export function versionWarning({ major, liveMajor }: TriedOn): string | undefined {
  return major === liveMajor ? undefined : `tried on PostgreSQL ${major}, live is ${liveMajor}`;
}

/** Removes the objects that are neither declared nor created by a file. */
function declaredPart(
  catalog: Catalog,
  {
    isManaged,
    undeclaredExtensions,
    extensionSchemas,
    live,
  }: Pick<ScratchDatabase, "isManaged" | "undeclaredExtensions" | "extensionSchemas" | "live">,
): Catalog {
  const leftOut = new Set([
    ...[...undeclaredExtensions].map((name) => objectKey({ kind: "extension", name })),
    ...[...extensionSchemas].map((name) => objectKey({ kind: "schema", name })),
    // Without the kit's roles, the database itself is not declared.
    ...(isManaged ? [] : [objectKey({ kind: "database", name: live.database.name })]),
  ]);
  return new Map([...catalog].filter(([key]) => !leftOut.has(key)));
}
