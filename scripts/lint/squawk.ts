import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { z } from "zod";
import { OperationError } from "../errors/operation-error.ts";
import { rulesLeftOut } from "./rules.ts";

/** What squawk says of one place. */
export interface SquawkViolation {
  rule: string;
  /** In UTF-16 units from the text's beginning. */
  offset: number;
  message: string;
  help: string | null;
}

export interface SquawkOptions {
  /** Major version of the server that the text is for. */
  pgVersion: number;
  /** Whether the file runs in a transaction. */
  transactional: boolean;
}

const answer = z.array(
  z.object({
    rule_name: z.string(),
    /** From 0. */
    line: z.number(),
    /** From 0, in bytes of UTF-8. */
    column: z.number(),
    message: z.string(),
    help: z.string().nullable(),
  }),
);

/** Of its answer, in bytes. */
const mostOutput = 50 * 2 ** 20;

/**
 * Runs squawk on a text, without any configuration file: what is excepted stands in the text, with its reason.
 * @throws OperationError where it cannot be run
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
  // One statement alone counts for squawk as one outside a transaction, whatever it was told.
  const [inTransaction, input] = transactional ? [["--assume-in-transaction"], `${text}\n;select 1;`] : [[], text];
  const output = await run([...given, ...excluded, ...inTransaction, ...stdin], input);
  try {
    return answer.parse(JSON.parse(output));
  } catch (cause) {
    throw failure("gave no answer that can be read", cause);
  }
}

function run(args: readonly string[], input: string): Promise<string> {
  const binary = binaryPath();
  return new Promise((resolve, reject) => {
    const child = execFile(binary, args, { maxBuffer: mostOutput }, (error, stdout, stderr) => {
      // It ends with 1 where it found something.
      if (error === null || (error.code === 1 && stdout !== "")) resolve(stdout);
      else reject(failure(`could not be run: ${stderr.trim() || error.message}`, error));
    });
    // A child that ends early says why by itself.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** The binary of this platform's package, found as squawk-cli's own script does. */
function binaryPath(): string {
  const require = createRequire(import.meta.url);
  const { getBinaryPath } = require("squawk-cli/js/index.js") as { getBinaryPath: () => string };
  try {
    return getBinaryPath();
  } catch (cause) {
    throw failure(`has no binary here: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function failure(what: string, cause: unknown): OperationError {
  return new OperationError(`The linter squawk ${what}.`, { remedy: "Run npm ci, with optional packages.", cause });
}
