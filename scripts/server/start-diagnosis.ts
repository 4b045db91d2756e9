/** What stands between a server and its start, as its own log tells it. */
export interface StartDiagnosis {
  kind: "port-taken" | "disk-full" | "damaged" | "permissions" | "configuration" | "unknown";
  /** What to do, as one or two sentences. */
  remedy: string;
}

/** PostgreSQL's words for files of a cluster that are not as it left them. */
const damaged = [
  /could not read file "?global\/pg_control"?|incorrect checksum in control file|pg_control: read|control file .*(invalid|corrupt)/i,
  /could not open file "?global\/pg_control"?.*No such file/i,
  /could not locate a valid checkpoint record|could not locate required checkpoint record/i,
  /invalid page in block|page verification failed/i,
  /database files are incompatible with server/i,
];

/**
 * Reads what a server that did not start logged.
 *
 * @param log the last lines of that start, and of no earlier one
 * @param place where the data and the whole log are
 */
export function diagnoseStart(log: string, place: { data: string; log: string }): StartDiagnosis {
  if (/could not bind .*?"([^"]+)".*Address already in use/s.test(log)) {
    return {
      kind: "port-taken",
      remedy:
        "Its port is taken by another program: stop that one, or choose another port with `pulumi config set port N`.",
    };
  }
  if (/No space left on device|Disk quota exceeded|Check free disk space/.test(log)) {
    return {
      kind: "disk-full",
      remedy: `The disk of ${place.data} is full. Make room there, then run \`up\` again: everything that was acknowledged is in its write-ahead log. Delete nothing in the data directory.`,
    };
  }
  if (damaged.some((words) => words.test(log))) {
    return {
      kind: "damaged",
      remedy: `Files in ${place.data} are damaged; they were left as they are. Copy that folder before anything else, check the disk, and put back a backup of it. Without one, pg_resetwal may open the copy.`,
    };
  }
  if (/has invalid permissions|has wrong ownership|Permission denied/.test(log)) {
    return {
      kind: "permissions",
      remedy: `${place.data} and everything in it must belong to the account that PostgreSQL runs as, with mode 0700 (chown -R, chmod 0700), then run \`up\` again.`,
    };
  }
  const mistake = mistakenPlace(log);
  if (mistake !== undefined) {
    return { kind: "configuration", remedy: `Correct ${mistake}, then run \`up\` again. The data is as it was.` };
  }
  return { kind: "unknown", remedy: `The whole log is in ${place.log}. The data is as it was.` };
}

/** Where PostgreSQL found a mistake in a configuration file, as the file's path and the line where it says one; undefined: it found none. */
export function mistakenPlace(said: string): string | undefined {
  const [, file, line] = /in file "([^"]+)" line (\d+)/.exec(said) ?? [];
  if (file !== undefined) return `line ${line} of ${file}`;
  return /configuration file "([^"]+)" contains errors/.exec(said)?.[1];
}
