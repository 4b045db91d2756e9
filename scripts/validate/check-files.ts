import { describeSource, type FileSource, listSource, readSource, type SourceEntry } from "../core/file-source.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { decodeUtf8 } from "../core/utf8.ts";
import { describePlace } from "../sql/sql-error.ts";
import { statementSpans } from "../sql/statements.ts";

/** Folder of a database's check files. */
export const checksFolder = "checks";

/** A query of the project that must return no row. */
export interface CheckFile {
  /** Path in the database's folder: `checks/010-balances.sql`. */
  file: string;
  /** Names what it looks for: the comment in its first line, else the file's name. */
  title: string;
  /** The whole file. */
  text: string;
  /** Offsets of the query in `text`, in UTF-16 units. */
  start: number;
  end: number;
}

/**
 * Reads the check files of a database, sorted by name.
 *
 * @throws OperationError (exit code usage) with file and line for a file that is not one query
 */
export async function readCheckFiles(source: FileSource): Promise<CheckFile[]> {
  const entries = await listSource(source, checksFolder);
  return checkFilesAmong(entries).map((name) => readCheckFile(source, `${checksFolder}/${name}`));
}

/** Returns the names of the check files among the entries of a folder, sorted. */
export function checkFilesAmong(entries: readonly SourceEntry[]): string[] {
  return entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .filter((name) => /\.sql$/i.test(name))
    .sort();
}

const hint = "A check is one SELECT, WITH, VALUES or TABLE that returns the rows that are wrong.";

/**
 * Reads a check file.
 *
 * @param file path in the source
 * @throws OperationError (exit code usage) with file and line if it is not one query
 */
export function readCheckFile(source: FileSource, file: string): CheckFile {
  const content = readSource(source, file);
  const refuse = (message: string) => new OperationError(message, { hint, exitCode: exitCode.usage });
  if (content === undefined) throw refuse(`${describeSource(source, file)} does not exist any more.`);
  const { text, fault } = decodeUtf8(content);
  if (fault !== undefined) throw refuse(`${file}: ${fault}`);
  const [first, second] = statementSpans(text);
  if (first === undefined) throw refuse(`${file}: it contains no query`);
  if (second !== undefined) throw refuse(describePlace({ file, text }, second.start, "a check is one query"));
  if (!/^(?:select|with|values|table)\b|^\(/i.test(text.slice(first.start, first.end)))
    throw refuse(describePlace({ file, text }, first.start, "this is no query"));
  const title = /^--\s*(.+?)\.?\s*$/m.exec(text.split("\n")[0] ?? "")?.[1] ?? file;
  return { file, title, text, ...first };
}
