import { type ApplySeedsOptions, type ApplySeedsResult, applySeeds } from "../seed/apply.ts";
import type { ClearedSeeds, ClearSeedsOptions } from "../seed/clear.ts";
import type { SeedInfo } from "../seed/info.ts";
import type { SeededRows } from "../seed/seeded-rows.ts";
import { connectionOf, type DatabaseTarget, folderOf } from "./target.ts";

/** Options of {@link seed}. */
export type SeedOptions = DatabaseTarget & Omit<ApplySeedsOptions, "connection" | "folder">;

/** Options of {@link seedInfo}. */
export type SeedInfoOptions = DatabaseTarget & Pick<SeedOptions, "sets">;

/** Options of {@link clearSeeds}. */
export type ClearOptions = DatabaseTarget & Omit<ClearSeedsOptions, "connection">;

/** A seed file, its state, and the state of its rows. */
export interface SeedFileInfo extends SeedInfo {
  /** Null if the file has not run, or before its rows were recorded. */
  rows: SeededRows | null;
}

/**
 * Runs the new and changed seed files of the named sets; see `applySeeds`.
 *
 * @throws OperationError, SqlFileError or ConnectionError
 */
export async function seed(options: SeedOptions): Promise<ApplySeedsResult> {
  const connection = connectionOf(options);
  return applySeeds({ ...options, connection, folder: await folderOf(options) });
}

/**
 * Returns the seed files of the named sets, and which of their rows were changed or deleted since. Changes nothing.
 *
 * @throws OperationError also if the state cannot be read; ConnectionError
 */
export async function seedInfo(options: SeedInfoOptions): Promise<SeedFileInfo[]> {
  const { readKnownSeedInfo } = await import("../seed/info.ts");
  const { readSeededRows } = await import("../seed/seeded-rows.ts");
  const connection = connectionOf(options);
  const { files } = await readKnownSeedInfo(connection, await folderOf(options), options.sets);
  const rows = await readSeededRows(connection, options.sets);
  return files.map((file) => {
    const own = rows.find(({ set, filename }) => set === file.set && filename === file.filename);
    return { ...file, rows: own ?? null };
  });
}

/**
 * Deletes the rows that the seeds of the named sets inserted, and nothing else; see `clearSeeds`. With `dryRun`, it
 * only counts them. With `expected`, the result of a dry run, it refuses if anything has changed since.
 *
 * @throws OperationError if rows were changed since they were seeded, or if other rows refer to them; ConnectionError
 */
export async function clearSeeds(options: ClearOptions): Promise<ClearedSeeds> {
  const clearing = await import("../seed/clear.ts");
  return clearing.clearSeeds({ ...options, connection: connectionOf(options) });
}
