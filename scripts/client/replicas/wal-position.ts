import { exitCode, OperationError } from "../../core/operation-error.ts";

/**
 * Converts a position in the WAL to a number that can be compared.
 *
 * @throws OperationError (wrong usage) if the text is none
 */
export function parseLsn(text: string): bigint {
  const [, high, low] = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text) ?? [];
  if (high === undefined || low === undefined)
    throw new OperationError(`"${text}" is not a position in the WAL.`, {
      hint: "Pass what pool.lsn() returned, such as 0/3000148.",
      exitCode: exitCode.usage,
    });
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** Query for the position after everything that was committed before, on a primary. */
export const primaryPosition = "select pg_catalog.pg_current_wal_insert_lsn()::text as lsn";

/** Query for the position up to which a standby has replayed the WAL. Null if the server is a primary. */
export const replayedPosition =
  "select case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()::text end as lsn";
