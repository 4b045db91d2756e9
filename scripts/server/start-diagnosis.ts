import { saysDiskFull } from "./disk-space.ts";

/** Reason a server does not start, from its own log. */
export interface StartDiagnosis {
  kind: "port-taken" | "disk-full" | "damaged" | "permissions" | "configuration" | "unknown";
  /** Hint in one or two sentences. */
  hint: string;
}

/** PostgreSQL's messages about damaged files of a cluster. */
const damaged = [
  /could not read file "?global\/pg_control"?|incorrect checksum in control file|pg_control: read|control file .*(invalid|corrupt)/i,
  /could not open file "?global\/pg_control"?.*No such file/i,
  /could not locate a valid checkpoint record|could not locate required checkpoint record/i,
  /invalid page in block|page verification failed/i,
  /database files are incompatible with server/i,
];

/**
 * Diagnoses a failed start from the server's log.
 *
 * @param log last lines of this start, and of no earlier one
 * @param place folders of the data and of the complete log
 */
export function diagnoseStart(log: string, place: { data: string; log: string }): StartDiagnosis {
  if (/could not bind .*?"([^"]+)".*Address already in use/s.test(log)) {
    return {
      kind: "port-taken",
      hint: "Another program uses its port. Stop that program, or choose another port with `pulumi config set port N`.",
    };
  }
  if (saysDiskFull.test(log)) {
    return {
      kind: "disk-full",
      hint: `Free space on the disk of ${place.data}, then run \`up\` again. Committed data is safe in the write-ahead log. Delete nothing in the data directory. The complete log is in ${place.log}.`,
    };
  }
  if (damaged.some((words) => words.test(log))) {
    return {
      kind: "damaged",
      hint: `Files in ${place.data} are damaged; they were not changed. First copy that folder. Then check the disk and restore a backup. Without a backup, pg_resetwal may open the copy.`,
    };
  }
  if (/has invalid permissions|has wrong ownership|Permission denied/.test(log)) {
    return {
      kind: "permissions",
      hint: `${place.data} and everything in it must belong to the account that PostgreSQL runs as, with mode 0700 (chown -R, chmod 0700), then run \`up\` again.`,
    };
  }
  const mistake = mistakenPlace(log);
  if (mistake !== undefined) {
    return { kind: "configuration", hint: `Correct ${mistake}, then run \`up\` again. The data was not changed.` };
  }
  return { kind: "unknown", hint: `The complete log is in ${place.log}. The data was not changed.` };
}

/**
 * Returns the location of an error in a configuration file: the path, and the line if PostgreSQL names it. Returns
 * undefined if there is no such error.
 */
export function mistakenPlace(said: string): string | undefined {
  const [, file, line] = /in file "([^"]+)" line (\d+)/.exec(said) ?? [];
  if (file !== undefined) return `line ${line} of ${file}`;
  return /configuration file "([^"]+)" contains errors/.exec(said)?.[1];
}
