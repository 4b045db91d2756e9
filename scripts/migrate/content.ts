import { exitCode, OperationError } from "../core/operation-error.ts";
import { refusedStatements } from "../sql/refused.ts";
import { describePlace, type SqlSource } from "../sql/sql-error.ts";
import { markFaults } from "./marks.ts";

/** A file to check before it runs. */
export interface CheckedFile {
  /** A hook has no lines of `--!`. */
  kind: "up" | "down" | "hook";
  /** Its name in messages, its text, and the offset of what follows its headers. */
  source: Pick<SqlSource, "file" | "text" | "start" | "origins">;
  transactional: boolean;
  encodingFault: string | undefined;
}

/**
 * Finds what keeps a file from running as it was meant: bytes that are not UTF-8, unknown `--!` lines, commands of
 * psql, and statements that end its transaction or drop the kit's records.
 *
 * @returns one message for each, with file, line, caret and what to do
 */
export async function contentFaults({ kind, source, transactional, encodingFault }: CheckedFile): Promise<string[]> {
  const { file, text, start } = source;
  const faults = [
    ...(kind === "hook" ? [] : markFaults(text, kind, start)),
    ...(await refusedStatements(text.slice(start), { transactional })).map((fault) => {
      return { ...fault, offset: fault.offset + start };
    }),
  ].sort((a, b) => a.offset - b.offset);
  return [
    ...(encodingFault === undefined ? [] : [`${file}: ${encodingFault}`]),
    ...faults.map(({ offset, message, hint }) => `${describePlace(source, offset, message)}\n  Hint: ${hint}`),
  ];
}

/**
 * Requires that files have no faults in their content.
 *
 * @throws OperationError (exit code wrong) that lists all of them
 */
export async function requireContent(files: readonly CheckedFile[]): Promise<void> {
  const faults: string[] = [];
  for (const file of files) faults.push(...(await contentFaults(file)));
  if (faults.length === 0) return;
  throw new OperationError(["These files cannot run as they are:", ...faults.map((fault) => `- ${fault}`)].join("\n"), {
    hint: "Correct them and run again. Nothing of them was run.",
    exitCode: exitCode.wrong,
  });
}
