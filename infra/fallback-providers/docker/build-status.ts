/** Follows the output of a build, and reports its step and its last line. */
export class BuildStatus {
  readonly #report: (text: string) => Promise<void>;
  #step = "";
  #newest = "";
  #reported = "";
  #isReporting = false;

  constructor(report: (text: string) => Promise<void>) {
    this.#report = report;
  }

  /** Reads a piece of output: `Step 3/12 : RUN apt-get update`, or lines that the step prints. */
  read(output: string): void {
    for (const line of output.split(/[\r\n]+/).map((each) => each.trim())) {
      const [, step, steps, instruction] = /^Step (\d+)\/(\d+) : (.*)$/.exec(line) ?? [];
      if (step !== undefined) this.#step = `step ${step} of ${steps}: `;
      else if (line === "" || /^(---> |Removing intermediate container )/.test(line)) continue;
      this.#newest = this.#step + (instruction ?? line);
    }
    void this.#send();
  }

  /** Reports the newest line, one report at a time: a build can print faster than its lines can be shown. */
  async #send(): Promise<void> {
    if (this.#isReporting) return;
    this.#isReporting = true;
    while (this.#reported !== this.#newest) {
      this.#reported = this.#newest;
      await this.#report(this.#reported);
    }
    this.#isReporting = false;
  }
}
