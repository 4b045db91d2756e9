import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { z } from "zod";
import { isInstalled } from "../../core/kit-folder.ts";
import { OperationError } from "../../core/operation-error.ts";
import { rulesLeftOut } from "./rules.ts";

/** A report of squawk about one place. */
export interface SquawkViolation {
  rule: string;
  /** Offset from the beginning of the text, in UTF-16 units. */
  offset: number;
  message: string;
  help: string | null;
}

export interface SquawkOptions {
  /** Major version of the server that the text is for. */
  pgVersion: number;
  /** True if the file runs in a transaction. */
  transactional: boolean;
}

const answer = z.array(
  z.object({
    rule_name: z.string(),
    /** Starts at 0. */
    line: z.number(),
    /** In bytes of UTF-8, starting at 0. */
    column: z.number(),
    message: z.string(),
    help: z.string().nullable(),
  }),
);

/** Limit of squawk's output, in bytes. */
const mostOutput = 50 * 2 ** 20;

/**
 * Runs squawk on a text, without a configuration file: exceptions are in the text, with their reasons.
 *
 * @throws OperationError if squawk cannot be run
 */
export async function runSquawk(text: string, options: SquawkOptions): Promise<SquawkViolation[]> {
  const lines = text.split("\n");
  const starts: number[] = [];
  let start = 0;
  for (const line of lines) {
    starts.push(start);
    start += line.length + 1;
  }
  const offsetOf = (line: number, column: number) =>
    (starts[line] ?? text.length) +
    Buffer.from(lines[line] ?? "")
      .subarray(0, column)
      .toString().length;
  return (await ask(text, options)).map(({ rule_name, line, column, message, help }) => ({
    rule: rule_name,
    offset: offsetOf(line, column),
    message,
    help,
  }));
}

async function ask(text: string, { pgVersion, transactional }: SquawkOptions): Promise<z.infer<typeof answer>> {
  const given = ["--config", "/dev/null", "--reporter", "json", "--pg-version", String(pgVersion)];
  const excluded = ["--exclude", Object.keys(rulesLeftOut).join(",")];
  const stdin = ["--stdin-filepath", "migration.sql"];
  // squawk treats a single statement as one outside a transaction, whatever the options say.
  const [inTransaction, input] = transactional ? [["--assume-in-transaction"], `${text}\n;select 1;`] : [[], text];
  const output = await run([...given, ...excluded, ...inTransaction, ...stdin], input);
  try {
    return answer.parse(JSON.parse(output));
  } catch (cause) {
    throw failure("gave no readable output", cause);
  }
}

function run(args: readonly string[], input: string): Promise<string> {
  const binary = binaryPath();
  return new Promise((resolve, reject) => {
    const child = execFile(binary, args, { maxBuffer: mostOutput }, (error, stdout, stderr) => {
      // squawk exits with 1 if it has findings.
      if (error === null || (error.code === 1 && stdout !== "")) resolve(stdout);
      else reject(failure(`could not be run: ${stderr.trim() || error.message}`, error));
    });
    // A child that exits early reports the reason itself.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** Returns the path of this platform's binary, found in the same way as squawk-cli's own script finds it. */
function binaryPath(): string {
  const require = createRequire(import.meta.url);
  try {
    const { getBinaryPath } = require("squawk-cli/js/index.js") as { getBinaryPath: () => string };
    return getBinaryPath();
  } catch (cause) {
    throw failure(`has no binary here: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function failure(what: string, cause: unknown): OperationError {
  const install = isInstalled ? "npm install squawk-cli" : "npm ci";
  return new OperationError(`The linter squawk ${what}.`, { hint: `Run ${install}, with optional packages.`, cause });
}
