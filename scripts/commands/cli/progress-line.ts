import yoctoSpinner, { type Spinner } from "yocto-spinner";

/** Where there is no terminal, a step that lasts says so again after this time, in ms. */
const repeatMs = 15_000;

/**
 * What is going on right now: one line that changes on a terminal; elsewhere plain lines, a step's first one at once, then one every now and then.
 */
export class ProgressLine {
  #spinner: Spinner | undefined;
  #step = "";
  #saidAt = 0;
  readonly #clear = () => this.clear();

  /** @param elapsedMs since the step began */
  show(step: string, elapsedMs: number, detail?: string): void {
    const seconds = Math.round(elapsedMs / 1000);
    const text = `${step}${seconds > 0 ? ` (${seconds} s)` : ""}`;
    if (process.stderr.isTTY) {
      this.#spin(detail === undefined ? text : `${text} ${detail}`);
      return;
    }
    if (step === this.#step && Date.now() - this.#saidAt < repeatMs) return;
    this.#step = step;
    this.#saidAt = Date.now();
    process.stderr.write(`${text}\n`);
  }

  /** Takes the line away, so that something else can be printed. */
  clear(): void {
    process.off("exit", this.#clear);
    this.#spinner?.stop();
    this.#spinner = undefined;
    this.#step = "";
  }

  #spin(text: string): void {
    const width = (process.stderr.columns ?? 80) - 4;
    const line = text.length > width ? `${text.slice(0, width - 1)}…` : text;
    if (this.#spinner !== undefined) {
      this.#spinner.text = line;
      return;
    }
    // Its own handling of signals would end the process at once, and leave the engine behind.
    this.#spinner = yoctoSpinner({ text: line, stream: process.stderr, handleSignals: false }).start();
    // It hides the cursor, which an end at once has to bring back.
    process.once("exit", this.#clear);
  }
}
