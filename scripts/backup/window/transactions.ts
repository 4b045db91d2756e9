import { formatLsn, parseLsn } from "../wal.ts";
import { parseTime } from "./microseconds.ts";

/** End of a transaction, as its WAL record has it. */
export interface Transaction {
  xid: number;
  committed: boolean;
  /** Microseconds since 1970. */
  at: bigint;
  /** Position at which the record begins. */
  lsn: bigint;
}

/** Ends of transactions in a range of the WAL. */
export interface TransactionRange {
  firstCommit: Transaction | undefined;
  lastCommit: Transaction | undefined;
  /** Latest time of a commit or rollback. It is usually that of the last one, but several sessions can overtake. */
  latest: bigint | undefined;
}

/**
 * Reduces the output of pg_waldump to the lines of a {@link TransactionRange}. A segment can have 100,000 commits. The
 * lists of invalidated objects behind a time are cut off.
 */
export const rangeFilter = `awk '/ desc: (COMMIT|ABORT)/ {
    line = substr($0, 1, 240)
    if (!match(line, /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9:]+\\.[0-9]+ UTC/)) { print "unreadable " line; next }
    at = substr(line, RSTART, RLENGTH)
    if (at > latest) { latest = at; latestLine = line }
    if (line ~ / desc: COMMIT/) { if (first == "") first = line; last = line }
  }
  END { if (first != "") print "first " first; if (last != "") print "last " last; if (latest != "") print "latest " latestLine }'`;

/**
 * Returns a filter that counts the commits in the output of pg_waldump.
 *
 * @param after position of the last record that does not count
 */
export function countFilter(after: bigint): string {
  const [high = "", low = ""] = formatLsn(after > 0n ? after : 0n).split("/");
  // Positions of equal length are in the order of their texts.
  const first = `${high.padStart(8)}${low.padStart(8)}`;
  return `awk -v after='x${first}' '/ desc: COMMIT/ {
      if (!match($0, /lsn: [0-9A-F]+\\/[0-9A-F]+/)) next
      split(substr($0, RSTART + 5, RLENGTH - 5), part, "/")
      at = sprintf("x%8s%8s", part[1], part[2])
      if (at > after) { count++; last = part[1] "/" part[2] }
    }
    END { print count + 0, last }'`;
}

/** Parses what {@link countFilter} prints. */
export function parseCount(text: string): { count: number; last: bigint | undefined } {
  const [count = "0", last = ""] = text.trim().split(" ");
  return { count: Number(count), last: last === "" ? undefined : parseLsn(last) };
}

/** Parses what {@link rangeFilter} prints. */
export function parseRange(text: string): TransactionRange {
  const named = (name: string) => {
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    return line === undefined ? undefined : parseTransaction(line);
  };
  if (/^unreadable /m.test(text)) throw new Error(`pg_waldump printed an unexpected record: ${text.slice(0, 300)}`);
  return { firstCommit: named("first"), lastCommit: named("last"), latest: named("latest")?.at };
}

const record =
  /tx: +(\d+), lsn: ([0-9A-F]+\/[0-9A-F]+), .* desc: (COMMIT|ABORT)(?:_PREPARED)? (?:(\d+): )?(\S+ \S+ UTC)/;

/** Parses a line of pg_waldump with the end of a transaction. Of a prepared transaction, its own number counts. */
export function parseTransaction(line: string): Transaction {
  const [, session = "", lsn = "", kind, prepared, at = ""] = record.exec(line) ?? [];
  if (kind === undefined) throw new Error(`pg_waldump printed an unexpected record: ${line.slice(0, 300)}`);
  return {
    xid: Number(prepared ?? session),
    committed: kind === "COMMIT",
    at: parseTime(at),
    lsn: parseLsn(lsn),
  };
}
