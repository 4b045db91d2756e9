import { NotKnown } from "../../connection/observer.ts";
import type { Check, Problem } from "../check.ts";
import { fix } from "../fix.ts";
import { bytes, count } from "../text.ts";

interface Row {
  database: string;
  files: number;
  bytes: number;
  days: number | null;
  workMem: number;
  workMemText: string;
}

/** Files of statements that write at least a page. Without a reset, statistics are at most as old as the server's. */
const query = `
  select quote_ident(d.datname) as database, temp_files::float8 as files, temp_bytes::float8 as bytes,
         extract(epoch from clock_timestamp() - greatest(d.stats_reset, b.stats_reset))::float8 / 86400 as days,
         pg_size_bytes(current_setting('work_mem'))::float8 as "workMem", current_setting('work_mem') as "workMemText"
    from pg_stat_database d, pg_stat_bgwriter b where d.datname = current_database()`;

/** Largest work_mem in bytes to recommend: every sort of every session can use that much. */
const mostWorkMem = 256 * 1024 ** 2;

export const temporaryFiles: Check = {
  name: "temporary-files",
  title: "Statements sort or hash on disk",
  scope: "database",
  async find(observer, { temporaryBytesPerDay }) {
    const [row] = await observer.query<Row>(query);
    if (row === undefined || row.days === null) throw new NotKnown("the server shows no statistics of temporary files");
    const { database, files, bytes: written, days, workMem, workMemText } = row;
    const perDay = written / Math.max(days, 1);
    const average = written / Math.max(files, 1);
    // With more memory than the average file needs, the counted files would not be written today.
    if (perDay < temporaryBytesPerDay || workMem > average) return { problems: [] };
    const problem: Problem = {
      object: "work_mem",
      level: "warning",
      detail: `Statements in ${database} wrote ${count(files)} temporary files, ${bytes(perDay)} a day and ${bytes(average)} each on average: work_mem is ${workMemText}.`,
      hint: "Find the statements in the server's log with log_temp_files = 0; an index can spare the sort.",
    };
    if (average > mostWorkMem) return { problems: [problem] };
    const wanted = `${Math.ceil((2 * average) / 1024 ** 2)}MB`;
    const set = fix(
      [`alter database ${database} set work_mem = '${wanted}'`],
      "It takes no lock and applies to new sessions. Each sort or hash of each session can use that much memory.",
      [`alter database ${database} reset work_mem`],
    );
    return { problems: [{ ...problem, fix: set }] };
  },
};
