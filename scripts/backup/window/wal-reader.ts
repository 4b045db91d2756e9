import type Docker from "dockerode";
import { runInContainer } from "../../docker/run-in-container.ts";
import type { ArchiveNames } from "../archive-names.ts";
import { BackupError, causeIn } from "../diagnosis.ts";
import { paths, type StackBackups, withRepositoryContainer } from "../stack-backups.ts";
import { formatLsn, formatSegment, parseLsn, segmentNumberAt, segmentStart, type TimelineEnd } from "../wal.ts";
import { archivedOn } from "./timelines.ts";
import {
  countFilter,
  parseCount,
  parseRange,
  rangeFilter,
  type Transaction,
  type TransactionRange,
} from "./transactions.ts";

/** WAL on the way to a timeline: what the archive has of it. */
export interface ArchivedWal {
  archive: ArchiveNames;
  /** Timelines to follow, oldest first. */
  path: readonly TimelineEnd[];
  segmentBytes: number;
}

/** Reads WAL records with pg_waldump, in a container that has the repository and the cluster read-only. */
export interface WalReader {
  /** Id of the container. */
  container: string;
  /** Finds the last commit whose record ends at or before `to`, and the latest time that was read on the way. */
  lastCommit(wal: ArchivedWal, from: bigint, to: bigint): Promise<TransactionRange>;
  /** Finds the first commit whose record begins at or after `from`. */
  firstCommit(wal: ArchivedWal, from: bigint, to: bigint): Promise<Transaction | undefined>;
  /**
   * Finds records from the newest back. It returns the lines of pg_waldump of the first group of segments that has any.
   *
   * @param options of pg_waldump
   * @param filter shell command that reads the output of pg_waldump
   */
  search(wal: ArchivedWal, from: bigint, to: bigint, options: readonly string[], filter: string): Promise<string[]>;
  /** Returns the transactions in a server's own WAL, which need not be archived. */
  ownTransactions(timeline: number, from: bigint, to: bigint): Promise<TransactionRange>;
  /** Counts the commits whose records begin at or after `from` and end at or before `to`. */
  countCommits(wal: ArchivedWal, from: bigint, to: bigint): Promise<number>;
  /** Counts the commits in a server's own WAL, which need not be archived. */
  countOwnCommits(timeline: number, from: bigint, to: bigint): Promise<number>;
}

/** Maximum lifetime of the container in seconds, in case it is not removed. */
const lifetimeSeconds = 24 * 3_600;

/** Maximum number of segments that are read at once. */
const largestGroup = 16;

const folder = "/tmp/wal";

/**
 * Gets segments from the archive and prints the records of a range. Files that are no longer needed are removed. Each
 * argument after the filter is the name under which pg_waldump looks for a segment, and its name in the archive.
 */
const script = `set -eu
  folder=${folder} timeline=$1 from=$2 to=$3 filter=$4 options=$5; shift 5
  mkdir -p $folder
  for file in $folder/*; do
    case " $* " in *" \${file##*/}="*) ;; *) rm -f "$file" ;; esac
  done
  for pair in "$@"; do
    file=$folder/\${pair%%=*}
    [ -e "$file" ] || pgbackrest --no-archive-async archive-get "\${pair#*=}" "$file" >&2 || exit 90
  done
  code=0
  pg_waldump --path=$folder --timeline="$timeline" --start="$from" --end="$to" $options >$folder/records || code=91
  sh -c "$filter" <$folder/records
  exit $code`;

const ownScript = `set -eu
  code=0
  pg_waldump --path=${paths.data}/pg_wal --timeline="$1" --start="$2" --end="$3" --rmgr=Transaction >/tmp/own || code=91
  sh -c "$4" </tmp/own
  exit $code`;

const transactionsOnly = "--rmgr=Transaction";

/** Size of a WAL record's header in bytes. */
const recordHeaderBytes = 24n;

/**
 * Returns true if pg_waldump failed at a record of which the range has not even the whole header. It does that if a
 * range ends in the header of the first record of a page: what it has read of the record is followed by what its buffer
 * had of an earlier page. All records of the range have been printed then.
 *
 * @param error what pg_waldump printed
 * @param to end of the range
 */
export function failedAfter(to: bigint, error: string): boolean {
  const [, at] = /pg_waldump: error: error in WAL record at .* at ([0-9A-F]+\/[0-9A-F]+)(?::|\s*$)/.exec(error) ?? [];
  return at !== undefined && parseLsn(at) + recordHeaderBytes > to;
}

/** Runs work with a reader of a stack's WAL. The stack's containers need not run. */
export async function withWalReader<T>(
  docker: Docker,
  stack: StackBackups,
  work: (reader: WalReader) => Promise<T>,
): Promise<T> {
  // pg_waldump prints times in this zone.
  const environment = { TZ: "UTC", LC_ALL: "C" };
  return withRepositoryContainer(docker, stack, { lifetimeSeconds, environment }, (container) =>
    work(readerIn(docker, container)),
  );
}

function readerIn(docker: Docker, container: string): WalReader {
  const run = async (command: string[], from: bigint, to: bigint, whose = "the"): Promise<string> => {
    const what = `${whose} WAL from ${formatLsn(from)} to ${formatLsn(to)}`;
    const { code, stdout, stderr } = await runInContainer(docker, container, { command, user: "postgres" });
    if (code === 0 || (code === 91 && failedAfter(to, stderr))) return stdout;
    // After the last record of a segment that was not filled.
    if (stderr.includes("could not find a valid record after")) return "";
    if (code === 90) throw new BackupError(`Cannot read ${what} from the archive: ${causeIn(stderr)}`);
    throw new BackupError(`Cannot read ${what}: ${stderr.trim().split("\n").at(-1) ?? `exit code ${code}`}`);
  };

  /** Prints the records of a range, which must begin and end in these segments. */
  const scan = (wal: ArchivedWal, from: bigint, to: bigint, options: readonly string[], filter: string) => {
    const { archive, path, segmentBytes } = wal;
    const timeline = path.at(-1)?.timeline ?? 0;
    const pairs: string[] = [];
    for (let number = segmentNumberAt(from, segmentBytes); number <= segmentNumberAt(to - 1n, segmentBytes); number++) {
      const name = archivedOn(archive, path, number, segmentBytes);
      if (name === undefined)
        throw new BackupError(
          `The segment ${formatSegment({ timeline, number }, segmentBytes)} is not in the archive.`,
        );
      // pg_waldump follows one timeline only, so every segment gets the name that it has on the last one.
      pairs.push(`${formatSegment({ timeline, number }, segmentBytes)}=${name}`);
    }
    const range = [String(timeline), formatLsn(from), formatLsn(to)];
    const command = ["sh", "-c", script, "read", ...range, filter, options.join(" "), ...pairs];
    return run(command, from, to);
  };

  /**
   * Reads groups of segments, the newest first, until one has a result. A group also has the segment after it, because
   * a record can continue there.
   */
  const backwards = async <R>(
    { segmentBytes }: ArchivedWal,
    from: bigint,
    to: bigint,
    read: (from: bigint, to: bigint) => Promise<R | undefined>,
  ): Promise<R | undefined> => {
    const first = segmentNumberAt(from, segmentBytes);
    let last = segmentNumberAt(to - 1n, segmentBytes);
    for (let size = 1; last >= first; size = Math.min(2 * size, largestGroup)) {
      const begin = Math.max(first, last - size + 1);
      const [start, end] = [segmentStart(begin, segmentBytes), segmentStart(last + 2, segmentBytes)];
      const found = await read(start > from ? start : from, end < to ? end : to);
      if (found !== undefined) return found;
      last = begin - 1;
    }
    return undefined;
  };

  return {
    container,
    async lastCommit(wal, from, to) {
      let latest: bigint | undefined;
      const found =
        to <= from
          ? undefined
          : await backwards(wal, from, to, async (start, end) => {
              const range = parseRange(await scan(wal, start, end, [transactionsOnly], rangeFilter));
              if (range.latest !== undefined && (latest === undefined || range.latest > latest)) latest = range.latest;
              return range.lastCommit === undefined ? undefined : range;
            });
      return { firstCommit: undefined, lastCommit: found?.lastCommit, latest };
    },
    async firstCommit(wal, from, to) {
      const { segmentBytes } = wal;
      for (let start = from, size = 2; start < to; size = Math.min(2 * size, largestGroup)) {
        const last = segmentNumberAt(start, segmentBytes) + size - 1;
        const groupEnd = segmentStart(last + 1, segmentBytes);
        const end = groupEnd < to ? groupEnd : to;
        const { firstCommit } = parseRange(await scan(wal, start, end, [transactionsOnly], rangeFilter));
        if (firstCommit !== undefined || end === to) return firstCommit;
        // The next group begins with the last segment of this one, because a record of it can continue after it.
        start = segmentStart(last, segmentBytes);
      }
      return undefined;
    },
    async search(wal, from, to, options, filter) {
      if (to <= from) return [];
      const found = await backwards(wal, from, to, async (start, end) => {
        const text = (await scan(wal, start, end, options, filter)).trim();
        return text === "" ? undefined : text.split("\n");
      });
      return found ?? [];
    },
    async ownTransactions(timeline, from, to) {
      if (to <= from) return { firstCommit: undefined, lastCommit: undefined, latest: undefined };
      const command = ["sh", "-c", ownScript, "read", String(timeline), formatLsn(from), formatLsn(to), rangeFilter];
      return parseRange(await run(command, from, to, "the server's"));
    },
    async countCommits(wal, from, to) {
      const { segmentBytes } = wal;
      let counted = { count: 0, last: from - 1n };
      for (let start = from; start < to; ) {
        const last = segmentNumberAt(start, segmentBytes) + largestGroup - 1;
        const groupEnd = segmentStart(last + 1, segmentBytes);
        const end = groupEnd < to ? groupEnd : to;
        const found = parseCount(await scan(wal, start, end, [transactionsOnly], countFilter(counted.last)));
        counted = { count: counted.count + found.count, last: found.last ?? counted.last };
        if (end === to) break;
        // A record can continue in the next group: it is counted there.
        start = segmentStart(last, segmentBytes);
      }
      return counted.count;
    },
    async countOwnCommits(timeline, from, to) {
      if (to <= from) return 0;
      const range = [String(timeline), formatLsn(from), formatLsn(to)];
      const command = ["sh", "-c", ownScript, "read", ...range, countFilter(from - 1n)];
      return parseCount(await run(command, from, to, "the server's")).count;
    },
  };
}
