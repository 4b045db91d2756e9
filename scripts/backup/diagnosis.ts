import { OperationError } from "../errors/operation-error.ts";

/** pgBackRest did not do what it was asked for. */
export class BackupError extends OperationError {}

interface Explanation {
  when: (code: number, text: string) => boolean;
  message: (cause: string) => string;
  remedy?: string;
}

/** What a person is told, the surest first. Codes: pgBackRest's `error.yaml`. */
const explanations: readonly Explanation[] = [
  {
    when: (_code, text) => /No space left on device|Disk quota exceeded/i.test(text),
    message: (cause) => `The backup repository is full: ${cause}`,
    remedy:
      "Make room where the engine keeps its volumes, or keep backups for fewer days (pgroundwork:backups). The server keeps what it could not archive, and sends it then.",
  },
  {
    when: (_code, text) => /Permission denied|Read-only file system/i.test(text),
    message: (cause) => `The backup repository cannot be written: ${cause}`,
    remedy: "Everything in its volume belongs to postgres (uid 999), who may write: give it back to that user.",
  },
  {
    // What was decrypted with another passphrase is no text; an own header is not found where nothing was encrypted.
    when: (code, text) =>
      (code === 29 && /unable to load info file/.test(text)) || /CryptoError|cipher header/.test(text),
    message: () => "The backup repository cannot be read with this stack's passphrase: it was made with another one.",
    remedy:
      "Bring back the passphrase that it was made with: it is in the state of the stack that made it, and in the file backup-passphrase of that cluster's volume. To begin anew, move the repository's content out of its volume.",
  },
  {
    when: (code, text) => code === 28 || /do not match the database|does not match/.test(text),
    message: () => "The backup repository is another cluster's: what it holds was not made of this one.",
    remedy:
      "Give the stack the volume that belongs to its data, or move the repository's content out of it to begin anew.",
  },
  {
    when: (code, text) => code === 55 && /(archive|backup)\.info/.test(text),
    message: () => "The backup repository is empty: nothing was archived or backed up there yet, or it was removed.",
    remedy: "Run `up`, which makes it.",
  },
  {
    when: (code) => code === 75,
    message: () => "There is no backup to restore from.",
    remedy: "Make one: `npm run pgw -- backup create`.",
  },
  {
    when: (code) => code === 50,
    message: () => "Another run of pgBackRest is at work on the repository.",
    remedy: "Wait until it has ended; `npm run pgw -- backup list` says whether one is under way.",
  },
  { when: (code) => code === 63, message: () => "The backup was ended before it was done." },
  {
    when: (code) => code === 82,
    message: (cause) => `The server's archive does not get on: ${cause}`,
    remedy: "`npm run pgw -- logs` shows what the archive command says.",
  },
];

/** What went wrong, in words; codes alone tell little, and the cause often stands in a warning before the error. */
export function diagnose(code: number, output: string): BackupError {
  const cause = causeIn(output);
  const found = explanations.find(({ when }) => when(code, output));
  if (found === undefined) return new BackupError(`pgBackRest ended with ${code}: ${cause}`);
  return new BackupError(found.message(cause), found.remedy === undefined ? {} : { remedy: found.remedy });
}

const entry = /^(?:[-\d: .]* )?P\d\d +(WARN|ERROR|HINT): +(.*)$/;

/** The warning that an error hides its cause in, else the error itself; one line that can be shown. */
function causeIn(output: string): string {
  const entries = output.split("\n").flatMap((line) => {
    const [, level, text = ""] = entry.exec(line) ?? [];
    return level === undefined ? [] : [{ level, text: text.replace(/^\[\d+\]: /, "") }];
  });
  const error = entries.findLast(({ level }) => level === "ERROR")?.text;
  const warning = entries.findLast(({ level }) => level === "WARN")?.text;
  const isVague = error === undefined || /no database found|unable to find primary/.test(error);
  const text = (isVague ? (warning ?? error) : error) ?? output.trim().split("\n").at(-1) ?? "";
  // What it lists on lines of its own ends in what the operating system said.
  const detail = text.endsWith(":") ? /unable to [^\n]*: \[\d+\] [^\n]+/.exec(output)?.[0] : undefined;
  return printable(detail ?? text);
}

/** What another passphrase makes of a file is no text. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\u00a0-\u02af\u2010-\u2027]+/g, "?").trim();
}

/** What the archive command said last in a server's log; undefined: nothing of it is there. */
export function archiveCommandError(log: string): BackupError | undefined {
  const lines = log.split("\n");
  const at = lines.findLastIndex((line) => entry.exec(line)?.[1] === "ERROR");
  if (at < 0) return undefined;
  const rest = lines.slice(at + 1).findIndex((line) => !line.startsWith("  "));
  const said = lines.slice(at, rest < 0 ? undefined : at + 1 + rest).join("\n");
  const [, code = "0"] = /ERROR: +\[(\d+)\]/.exec(said) ?? [];
  return diagnose(Number(code), said);
}
