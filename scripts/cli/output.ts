import { styleText } from "node:util";
import type { ProgressLine } from "./progress-line.ts";
import { asTyped } from "./typed-line.ts";

type Style = Parameters<typeof styleText>[0];

/** Failure of a command, as `--json` prints it. */
export interface Failure {
  message: string;
  /** Advice; null if there is none. */
  hint: string | null;
  /** Exit code. */
  code: number;
}

/**
 * Output of commands: answers go to stdout, progress, warnings and errors to stderr, so that an answer can be piped.
 * Colours are used only on a terminal, and NO_COLOR is respected.
 */
export class Output {
  /** True if the answer is printed as JSON. */
  readonly json: boolean;
  /** The answer, until {@link finish} prints it. */
  #value: unknown = null;
  #progress: ProgressLine | undefined;

  constructor(json: boolean) {
    this.json = json;
  }

  /** Prints the answer as `text` formats it. If JSON was requested, {@link finish} prints it. */
  answer(value: unknown, text: () => string): void {
    this.#value = value;
    this.endStep();
    if (!this.json) process.stdout.write(`${asTyped(text().trimEnd())}\n`);
  }

  /**
   * Ends the output. If JSON was requested, prints exactly one value: the answer, the failure as `{ "error": … }`, or
   * both in one object if the command failed after its answer.
   */
  finish(failure?: Failure): void {
    this.endStep();
    if (!this.json) return;
    const value = failure === undefined ? this.#value : { ...membersOf(this.#value), error: typedFailure(failure) };
    process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Uses a progress line. It is hidden while something else is printed, and ends with the answer. */
  use(progress: ProgressLine): void {
    this.#progress?.stop();
    this.#progress = progress;
  }

  /** Ends the progress line, for example before a question. */
  endStep(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }

  /** Prints a line on stdout, unless the answer is JSON. */
  say(text: string): void {
    this.#progress?.hide();
    if (!this.json) process.stdout.write(`${asTyped(text)}\n`);
  }

  /** Prints a line on stderr. */
  note(text: string): void {
    this.#progress?.hide();
    process.stderr.write(`${asTyped(text)}\n`);
  }

  warn(text: string): void {
    this.#progress?.hide();
    process.stderr.write(`${style("yellow", "warning:", process.stderr)} ${asTyped(text)}\n`);
  }

  error(text: string): void {
    this.#progress?.hide();
    process.stderr.write(`${style("red", "error:", process.stderr)} ${asTyped(text)}\n`);
  }
}

function typedFailure({ message, hint, code }: Failure): Failure {
  return { message: asTyped(message), hint: hint === null ? null : asTyped(hint), code };
}

/** Returns the members of an object that is not an array. */
function membersOf(value: unknown): object {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/** Returns the text in a style if the stream supports it. */
export function style(format: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(format, text, { stream });
}
