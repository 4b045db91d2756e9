import type { Spinner } from "yocto-spinner";

/** The module that draws spinners. It is loaded when a terminal first needs it, because most commands show none. */
let drawing: typeof import("yocto-spinner") | undefined;

/** Interval in ms at which progress is printed again if stderr is not a terminal. */
export const repeatMs = 15_000;

/** Interval in ms at which the line is updated, because it contains the elapsed time. */
const updateMs = 1_000;

interface ProgressOptions {
  /** Prints the first line at once if stderr is not a terminal. Default: only after 15 s. */
  announce?: boolean;
}

/**
 * Progress of work that takes long: one line that changes on a terminal. Elsewhere it prints one line every 15 s. It
 * writes to stderr only, because stdout has the answer.
 */
export class ProgressLine {
  #spinner: Spinner | undefined;
  #timer: NodeJS.Timeout | undefined;
  #text: () => string = () => "";
  #printedAt = 0;
  readonly #hide = () => this.hide();

  /** Shows a text, which is computed again every second, until {@link stop}. */
  start(text: () => string, { announce = false }: ProgressOptions = {}): void {
    this.stop();
    this.#text = text;
    this.#printedAt = announce ? Number.NEGATIVE_INFINITY : performance.now();
    this.#timer = setInterval(() => this.update(), updateMs);
    this.#timer.unref();
    this.update();
  }

  /** Shows the current text if the work still runs. */
  update(): void {
    if (this.#timer === undefined) return;
    if (process.stderr.isTTY) {
      this.#spin(this.#text());
      return;
    }
    const now = performance.now();
    if (now - this.#printedAt < repeatMs) return;
    this.#printedAt = now;
    process.stderr.write(`${this.#text()}\n`);
  }

  /** Removes the line, so that something else can be printed. The next update shows it again. */
  hide(): void {
    process.off("exit", this.#hide);
    this.#spinner?.stop();
    this.#spinner = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.hide();
  }

  #spin(text: string): void {
    // Some pseudo terminals report a width of 0.
    const width = (process.stderr.columns || 80) - 4;
    const line = text.length > width ? `${text.slice(0, width - 1)}…` : text;
    if (this.#spinner !== undefined) {
      this.#spinner.text = line;
      return;
    }
    if (drawing === undefined) {
      void this.#load();
      return;
    }
    // The spinner's own signal handling would end the process at once, and leave the engine running.
    this.#spinner = drawing.default({ text: line, stream: process.stderr, handleSignals: false }).start();
    // The spinner hides the cursor. If the process ends at once, it must be shown again.
    process.once("exit", this.#hide);
  }

  async #load(): Promise<void> {
    drawing = await import("yocto-spinner");
    this.update();
  }
}
