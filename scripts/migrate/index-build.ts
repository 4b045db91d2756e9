import type { Client } from "pg";
import { OperationError } from "../core/operation-error.ts";
import { sqlFileError } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { type ConcurrentIndex, dropIndex, type IndexName, indexState, invalidBuilds } from "./concurrent-index.ts";

/** A file that builds an index concurrently. */
interface IndexBuild {
  index: ConcurrentIndex;
  source: SqlSource;
  /** True if an earlier run of the file was started and its end is not known. */
  again: boolean;
  /** Hint of errors. */
  hint: string;
}

/**
 * Builds an index concurrently. Drops the invalid index of an earlier run first, and the one that this run leaves if it
 * fails.
 *
 * @throws OperationError if the index is invalid after the build; SqlFileError if a left index cannot be dropped
 */
export async function buildIndex(
  client: Client,
  { index, source, again, hint }: IndexBuild,
  build: () => Promise<void>,
): Promise<void> {
  const found = await invalidBuilds(client, index);
  // The ledger is the only proof that an index without a name is this file's.
  const isOwn = index.name !== undefined || again;
  const others = isOwn ? [] : found;
  try {
    if (isOwn) await dropLeft(client, found, source, hint);
    await build();
    if (index.name !== undefined && (await indexState(client, index)) === "invalid")
      throw notValid(source.file, index, hint);
  } catch (error) {
    // Drop the index of a failed build at once: it slows every write. If that fails too, the next run drops it.
    await dropNew(client, index, others).catch(() => {});
    throw error;
  }
}

/**
 * Drops the invalid indexes of earlier builds. The drop waits for the same transactions as the build and hits the lock
 * timeout in the same way.
 */
async function dropLeft(client: Client, indexes: readonly IndexName[], source: SqlSource, hint: string): Promise<void> {
  for (const each of indexes) {
    await dropIndex(client, each).catch((error: unknown) => {
      throw sqlFileError(error, { ...source, file: `${source.file}, dropping its invalid index` }, hint);
    });
  }
}

async function dropNew(client: Client, index: ConcurrentIndex, others: readonly IndexName[]): Promise<void> {
  const isOthers = ({ schema, name }: IndexName) => others.some((each) => each.schema === schema && each.name === name);
  for (const each of await invalidBuilds(client, index)) if (!isOthers(each)) await dropIndex(client, each);
}

/**
 * Builds the error for an invalid index. `IF NOT EXISTS` succeeds on one, and such a file must not count as applied.
 */
function notValid(file: string, { name }: ConcurrentIndex, hint: string): OperationError {
  return new OperationError(`${file}: the index "${name}" was built, but is invalid.`, { hint });
}
