import type { Client } from "pg";
import type { PartitionSpec } from "../../databases/database-file.ts";
import { ensurePartitions } from "../../databases/partitions.ts";
import type { StatementEffects } from "./effects.ts";
import { isStronger } from "./lock-mode.ts";
import type { Relation } from "./relations.ts";

/**
 * Creates the partitions that `up` maintains. If the function for this does not exist yet, a pending file creates it.
 */
export async function makePartitions(client: Client, partitions: PartitionSpec): Promise<void> {
  await ensurePartitions(client, partitions).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "42883" && code !== "3F000") throw error;
  });
}

/** Returns the partitioned tables that were changed but had no partition in which this would show. */
export function withoutPartition(
  relations: ReadonlyMap<number, Relation>,
  effects: readonly StatementEffects[],
): string[] {
  const divided = new Set([...relations.values()].flatMap(({ ancestors }) => ancestors));
  const changed = new Set(
    effects.flatMap(({ locks }) =>
      locks.filter(({ mode }) => isStronger(mode, "RowExclusiveLock")).map(({ relation }) => relation),
    ),
  );
  return [...relations.values()].flatMap(({ oid, name, kind, isPartitioned }) =>
    kind === "table" && isPartitioned && !divided.has(oid) && changed.has(name) ? [name] : [],
  );
}
