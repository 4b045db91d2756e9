import type { Readable, Writable } from "node:stream";
import type { Connection } from "../../connection/connection.ts";
import { OperationError } from "../../core/operation-error.ts";

/** PostgreSQL's programs that make and load dumps. */
export type Program = "pg_dump" | "pg_dumpall" | "pg_restore" | "psql";

/** Folder of the server's socket in the kit's images. */
export const socketFolder = "/var/run/postgresql";

/** One run of a program. */
export interface ProgramRun {
  program: Program;
  args: readonly string[];
  connection: Connection;
  /** Input of the program. Default: none. */
  input?: Readable | undefined;
  /** Stream that gets the program's output. Default: it is discarded. */
  output?: Writable | undefined;
  signal: AbortSignal;
}

/** PostgreSQL's programs, in a container or on this machine. */
export interface DumpTools {
  /** Version of the programs, such as `17.6`. */
  version: string;
  /** Location for messages: `/usr/bin`, or the image. */
  location: string;
  /** True if the programs reach the stack's server over its socket, with the host {@link socketFolder}. */
  hasServerSocket: boolean;
  /**
   * Runs a program to its end.
   *
   * @throws ProgramError if it fails
   */
  run(run: ProgramRun): Promise<void>;
  /**
   * Runs `pg_dump`, which writes a folder, and puts the content into an empty folder of this machine.
   *
   * @throws ProgramError if it fails
   */
  dumpFolder(run: Omit<ProgramRun, "program" | "input" | "output">, folder: string): Promise<void>;
  /**
   * Runs `pg_restore` on a folder of this machine.
   *
   * @throws ProgramError if it fails
   */
  restoreFolder(run: Omit<ProgramRun, "program" | "input" | "output">, folder: string): Promise<void>;
}

/** A program of PostgreSQL failed. The message has its first error. */
export class ProgramError extends OperationError {
  /** The program's whole error output. */
  readonly output: string;

  constructor(program: Program, code: number, output: string) {
    super(`${program} failed: ${firstError(output) || `exit code ${code}`}`);
    this.output = output;
  }
}

/** Finds the first error in a program's output, with the lines that belong to it: detail, context, command. */
export function firstError(output: string): string {
  const lines = output.trim().split("\n");
  const at = lines.findIndex((line) => /\b(error|ERROR|FATAL|fatal):/.test(line));
  const from = Math.max(0, at);
  const belongs = /^(DETAIL|HINT|CONTEXT|LINE|QUERY|Command was|SQL function|PL\/pgSQL function|\s)/;
  const more = lines.slice(from + 1).findIndex((line) => !belongs.test(line));
  const end = more < 0 ? lines.length : from + 1 + more;
  return lines
    .slice(from, Math.min(end, from + 8))
    .join("\n")
    .replace(/^(?:pg_\w+|psql)(?::<stdin>:\d+)?: (?:error: )?/, "")
    .trim();
}
