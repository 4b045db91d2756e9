import { OperationError } from "../core/operation-error.ts";
import { verdictOn } from "./failure-verdicts.ts";
import { type Explanation, remoteFailures } from "./remote-failures.ts";

/** pgBackRest failed. */
export class BackupError extends OperationError {}

/** A backup cannot be restored with what the repository and the stack have. A second attempt fails in the same way. */
export class UnusableBackup extends BackupError {}

/** Explanations of failures; the first match wins. The codes are those of pgBackRest's `error.yaml`. */
const explanations: readonly Explanation[] = [
  {
    // From the image's repository-owner.
    when: (_code, text) => /belongs to a newer server of this stack/.test(text),
    message: (cause) => cause,
    hint: "Stop this server, if it was replaced after its machine was lost. If it is to continue, set another path in pgroundwork:backups.repositories.",
  },
  {
    when: (code, text) => code === 56 || (code === 57 && /server closed the connection/.test(text)),
    message: (cause) => `The server did not answer: ${cause}`,
    hint: "`npm run pgw -- status` shows its state, `npm run pgw -- logs` its log.",
  },
  {
    // Its messages about permissions and full disks are not about the repository.
    when: (code) => code === 57,
    message: (cause) => `The server refused a query of pgBackRest: ${cause}`,
    hint: "`npm run pgw -- logs` shows its log.",
  },
  {
    when: (_code, text) => /No space left on device|Disk quota exceeded/i.test(text),
    message: (cause) => `The backup repository is full: ${cause}`,
    hint: "Free space where the engine stores its volumes, or keep backups for fewer days (pgroundwork:backups). The server keeps the WAL and archives it afterwards.",
  },
  {
    // pgBackRest gives no reason if the filesystem took only a part of a block.
    when: (code, text) => code === 64 && /unable to write '[^']*'$/m.test(text),
    message: (cause) => `The backup repository is probably full, because a file was written only in part: ${cause}`,
    hint: "Free space where the engine stores its volumes, or keep backups for fewer days (pgroundwork:backups).",
  },
  ...remoteFailures,
  {
    when: (_code, text) => /Permission denied|Read-only file system/.test(text),
    message: (cause) => `The backup repository cannot be written: ${cause}`,
    hint: "Everything in its volume must belong to postgres (uid 999) and be writable. Change the owner back.",
  },
  {
    when: (code, text) => verdictOn(code, text) === "damaged",
    message: (cause) => `The backup is damaged: ${cause}`,
    hint: "Restore another backup with --backup. `npm run pgw -- backup list` shows which can be restored.",
  },
  {
    when: (code, text) => verdictOn(code, text) === "passphrase",
    message: () => "The backup repository was encrypted with a passphrase that is not this stack's.",
    hint: "Restore its passphrase, which is in the state of the stack that created it, and in the file backup-passphrase of that cluster's volume. To start a new repository, move the old content out of its volume.",
  },
  {
    when: (code, text) => code === 28 || /do not match the database|does not match/.test(text),
    message: () => "The backup repository belongs to another cluster.",
    hint: "Use the repository volume that belongs to the data. To start a new repository, move the old content out of the volume.",
  },
  {
    when: (_code, text) => /archive\.info exists but backup\.info is missing/.test(text),
    message: () => "The folder backup is missing from the backup repository. The WAL archive alone cannot be restored.",
    hint: "Restore the folder from a copy of the repository's volume. If there is no copy, move the folder archive out of the volume and run `up`: it creates the repository again and makes a full backup.",
  },
  {
    when: (code, text) =>
      /backup\.info exists but archive\.info is missing/.test(text) ||
      (code === 99 && /FileMissingError.*archive\.info/.test(text)),
    message: () => "The folder archive is missing from the backup repository. Without it, no backup can be restored.",
    hint: "Restore the folder from a copy of the repository's volume. If there is no copy, move the folder backup out of the volume and run `up`: it creates the repository again and makes a full backup.",
  },
  {
    when: (code, text) => code === 55 && /(archive|backup)\.info/.test(text),
    message: () =>
      "The backup repository is empty. Either nothing was archived or backed up yet, or its content was removed.",
    hint: "Run `up`, which creates it.",
  },
  {
    when: (code) => code === 75,
    message: () => "There is no backup to restore from.",
    hint: "Make one: `npm run pgw -- backup create`.",
  },
  {
    when: (code) => code === 50,
    message: () => "Another pgBackRest process is using the repository.",
    hint: "Wait until it has ended. `npm run pgw -- backup list` shows whether a backup is running.",
  },
  {
    when: (code, text) => code === 106 || /is not later than latest backup label/.test(text),
    message: () => "The clock is behind the time of the newest backup, so pgBackRest makes no backup.",
    hint: "Compare the clock of the Docker engine's machine with the real time. `npm run pgw -- backup list` names the backup whose time is in the future.",
  },
  {
    when: (code, text) => code === 101 && /NULL result required/.test(text),
    message: () => "The server ended pgBackRest's session during a query.",
    hint: "`npm run pgw -- logs` shows why. Then run the command again.",
  },
  { when: (code) => code === 63, message: () => "The backup was stopped before it was complete." },
  {
    when: (code) => code === 82,
    message: (cause) => `WAL archiving is failing: ${cause}`,
    hint: "`npm run pgw -- logs` shows the output of the archive command.",
  },
];

/**
 * Explains a failure of pgBackRest. The exit code alone says little, and the cause is often in a warning before the
 * error.
 */
export function diagnose(code: number, output: string): BackupError {
  const cause = causeIn(output);
  const found = explanations.find(({ when }) => when(code, output));
  if (found === undefined) return new BackupError(`pgBackRest ended with ${code}: ${cause}`);
  const Kind = verdictOn(code, output) === "other" ? BackupError : UnusableBackup;
  return new Kind(found.message(cause), found.hint === undefined ? {} : { hint: found.hint });
}

const entry = /^(?:[-\d: .]* )?P\d\d +(WARN|ERROR|HINT): +(.*)$/;

/**
 * Finds the cause in pgBackRest's output and returns it as one printable line. If the error is vague, the warning is
 * the cause.
 */
export function causeIn(output: string): string {
  const entries = output.split("\n").flatMap((line) => {
    const [, level, text = ""] = entry.exec(line) ?? [];
    return level === undefined ? [] : [{ level, text: text.replace(/^\[\d+\]: /, "") }];
  });
  const error = entries.findLast(({ level }) => level === "ERROR")?.text;
  const warning = entries.findLast(({ level }) => level === "WARN")?.text;
  // A query has several lines, and the reason comes after it.
  const [, refused] = /ERROR: +\[057\]: unable to execute query '[\s\S]*?': ([^\n]+)/.exec(output) ?? [];
  if (refused !== undefined) return printable(refused);
  const isVague = error === undefined || /no database found|unable to find primary/.test(error);
  const text = (isVague ? (warning ?? error) : error) ?? output.trim().split("\n").at(-1) ?? "";
  if (!text.endsWith(":")) return printable(text);
  // If details follow on lines of their own, use the operating system's error or the first line about a repository
  // file.
  const detail = /unable to [^\n]*: \[\d+\] [^\n]+/.exec(output)?.[0] ?? /^ +repo\d+: (.+)$/m.exec(output)?.[1];
  return printable(detail ?? text);
}

/** Replaces unprintable characters. A file decrypted with the wrong passphrase is not text. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\u00a0-\u02af\u2010-\u2027]+/g, "?").trim();
}

/** Explains the last error of the archive command in a server's log. Returns undefined if the log has none. */
export function archiveCommandError(log: string): BackupError | undefined {
  const lines = log.split("\n");
  const at = lines.findLastIndex((line) => entry.exec(line)?.[1] === "ERROR");
  if (at < 0) return undefined;
  const rest = lines.slice(at + 1).findIndex((line) => !line.startsWith("  "));
  const said = lines.slice(at, rest < 0 ? undefined : at + 1 + rest).join("\n");
  const [, code = "0"] = /ERROR: +\[(\d+)\]/.exec(said) ?? [];
  return diagnose(Number(code), said);
}
