import { shellQuote } from "../../core/shell.ts";
import { migrationMarkAround, walMarkPrefix } from "../../ledger/wal-mark.ts";
import { parseLsn } from "../wal.ts";

/** Records to look for: options of pg_waldump, and a shell command that keeps the lines of the records. */
export interface RecordSearch {
  options: string[];
  filter: string;
}

/** Finds the end of a transaction. */
export function findTransaction(xid: bigint): RecordSearch {
  // The WAL has only the lower half of a transaction's number.
  const number = xid & 0xffffffffn;
  return {
    options: ["--rmgr=Transaction"],
    filter: `grep -E ' desc: (COMMIT|ABORT)' | grep -E 'tx: +${number}, .* desc: (COMMIT|ABORT) |_PREPARED ${number}: ' | cut -c 1-240`,
  };
}

/** Finds the last record that commits or prepares a transaction. */
export const findLastCommitOrPrepare: RecordSearch = {
  options: ["--rmgr=Transaction"],
  filter: "grep -E ' desc: (COMMIT|PREPARE)' | tail -n 1 | cut -c 1-240",
};

/** Finds the records with which DROP DATABASE removes the files of a database, before it commits. */
export const findDroppedFiles: RecordSearch = {
  options: ["--rmgr=Database"],
  filter: "grep ' desc: DROP ' || [ $? -eq 1 ]",
};

/** Finds the restore points of a name. */
export function findRestorePoint(name: string): RecordSearch {
  const keep = `{ at = index($0, " desc: RESTORE_POINT "); if (at && substr($0, at + 21) == ENVIRON["NAME"]) print }`;
  return {
    options: ["--rmgr=XLOG"],
    filter: `NAME=${shellQuote(name)} awk '${keep}'`,
  };
}

/** Returns the position at which the record in a line of pg_waldump begins. */
export function positionIn(line: string): bigint {
  const [, lsn] = / lsn: ([0-9A-F]+\/[0-9A-F]+),/.exec(line) ?? [];
  if (lsn === undefined) throw new Error(`pg_waldump printed an unexpected record: ${line}`);
  return parseLsn(lsn);
}

/** Returns the transaction of the record in a line of pg_waldump. */
export function transactionIn(line: string): bigint {
  const [, xid] = / tx: +(\d+),/.exec(line) ?? [];
  if (xid === undefined) throw new Error(`pg_waldump printed an unexpected record: ${line}`);
  return BigInt(xid);
}

/** Finds the marks that a migration of a database left. */
export function findMigrationMark(number: string, database: string): RecordSearch {
  const { begin, end } = migrationMarkAround(number, database);
  const payload = `payload \\([0-9]+ bytes\\): ${hexadecimal(begin)}( [0-9A-F]{2})*${hexadecimal(end, " ")}$`;
  // grep ends with 1 if no line matches.
  return {
    options: ["--rmgr=LogicalMessage"],
    filter: `grep -E ' prefix "${walMarkPrefix}"; ${payload}' || [ $? -eq 1 ]`,
  };
}

/** Writes a text as pg_waldump prints bytes. */
function hexadecimal(text: string, before = ""): string {
  return before + [...Buffer.from(text)].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
}
