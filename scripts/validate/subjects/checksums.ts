import { nothingExamined, type Subject } from "../subject.ts";

interface Statistics {
  state: string;
  failures: number | null;
  last: string | null;
  since: string | null;
}

/** Failures in this database, and in the objects that all databases share. */
const query = `
  select current_setting('data_checksums') as state, sum(checksum_failures)::float8 as failures,
         max(checksum_last_failure)::text as last, min(stats_reset) filter (where datname is not null)::text as since
    from pg_stat_database where datname = current_database() or datid = 0`;

/**
 * Reads how many pages with a wrong checksum the server met. It is asked last: the other subjects read the tables, and
 * the server verifies each page that it reads from the disk.
 */
export const checksums: Subject = {
  name: "checksums",
  title: "statistics of checksum failures read",
  async examine(observer) {
    const result = nothingExamined();
    const [row] = await observer.query<Statistics>(query);
    if (row?.state !== "on") return { ...result, notAvailable: `data_checksums is ${row?.state ?? "not shown"}` };
    if (row.failures === null) return { ...result, unknown: ["the server shows no statistics of checksums"] };
    result.examined = 1;
    const since = row.since === null ? "its statistics were created" : row.since;
    result.note = `the server counts since ${since}, and only pages that it read from the disk`;
    if (row.failures === 0) return result;
    result.findings.push({
      code: "checksum-failure",
      level: "error",
      title: "Pages have a wrong checksum",
      detail: `The server met ${row.failures} pages with a wrong checksum since ${since}, last at ${row.last ?? "a time that it does not show"}`,
      objects: [observer.facts.database],
      hint: "The server's log names the files. First copy the data directory. Then check the disk, and restore a backup. After that, pg_stat_reset() in this database sets the count to 0.",
      count: row.failures,
      samples: [],
    });
    return result;
  },
};
