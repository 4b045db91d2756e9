import { NotKnown } from "../../connection/observer.ts";
import type { Check, Problem } from "../check.ts";

interface Row {
  mode: string;
  command: string | null;
  library: string | null;
  archivedAt: Date | null;
  failedAt: Date | null;
  failedWal: string | null;
  failures: number;
}

/** `archive_library` exists from version 15. */
const query = `
  select current_setting('archive_mode') as mode, current_setting('archive_command') as command,
         current_setting('archive_library', true) as library, last_archived_time as "archivedAt",
         last_failed_time as "failedAt", last_failed_wal as "failedWal", failed_count::float8 as failures
    from pg_stat_archiver`;

export const archiveFailing: Check = {
  name: "archive-failing",
  title: "WAL archiving is failing",
  scope: "server",
  async find(observer) {
    const [row] = await observer.query<Row>(query);
    if (row === undefined) throw new NotKnown("the server shows no statistics of its archiver");
    const { mode, archivedAt, failedAt, failedWal, failures } = row;
    if (mode === "off" || (mode === "on" && observer.facts.inRecovery)) return { problems: [] };
    const noCommand = (row.command ?? "") === "" || row.command === "(disabled)";
    const isUnset = noCommand && (row.library ?? "") === "";
    const found: Omit<Problem, "detail"> = { object: "archiver", level: "error" };
    if (isUnset) {
      const detail =
        "archive_mode is on, but archive_command and archive_library are empty: the server keeps all WAL until its disk is full.";
      return { problems: [{ ...found, detail, hint: "Set archive_command, or turn archive_mode off and restart." }] };
    }
    if (failedAt === null || (archivedAt !== null && archivedAt > failedAt)) return { problems: [] };
    const since = archivedAt === null ? "never succeeded" : `last succeeded at ${archivedAt.toISOString()}`;
    return {
      problems: [
        {
          ...found,
          detail: `The server cannot archive ${failedWal}: the last of ${failures} failures was at ${failedAt.toISOString()}, and archiving ${since}. WAL stays in its volume, which can fill up.`,
          hint: "Read the server's log: it contains the output of archive_command.",
        },
      ],
    };
  },
};
