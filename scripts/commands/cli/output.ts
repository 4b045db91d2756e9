import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/**
 * Where commands print: answers to stdout, everything else (progress, warnings, errors) to stderr, so that an answer can be piped.
 * Colours only on a terminal; NO_COLOR is respected.
 */
export class Output {
  /** Whether the answer is wanted as JSON. */
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** The answer: as JSON where that is wanted, else as `text` writes it. */
  answer(value: unknown, text: () => string): void {
    process.stdout.write(this.json ? `${JSON.stringify(value, null, 2)}\n` : `${text().trimEnd()}\n`);
  }

  /** A line for people; left out where the answer is JSON. */
  say(text: string): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  /** A line beside the answer. */
  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  warn(text: string): void {
    process.stderr.write(`${style("yellow", "warning:", process.stderr)} ${text}\n`);
  }

  error(text: string): void {
    process.stderr.write(`${style("red", "error:", process.stderr)} ${text}\n`);
  }
}

/** Text in a style, where the stream shows one. */
export function style(format: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(format, text, { stream });
}
