import { stripVTControlCharacters } from "node:util";
import { redact } from "../core/redact.ts";
import type { ProgressEvent, RunningStep } from "../stack/event-stream.ts";
import { withElapsed } from "./elapsed.ts";

/** Words for the engine's actions while they run. */
const doing: Record<string, string> = {
  same: "checking",
  create: "creating",
  "create-replacement": "creating",
  update: "updating",
  delete: "deleting",
  "delete-replaced": "deleting",
  replace: "replacing",
  read: "reading",
  refresh: "reading",
  import: "adopting",
};

/** The steps of an operation that are running, and how many have ended. */
export class RunningSteps {
  readonly #running = new Map<string, RunningStep & { since: number; status: string }>();
  #ended = 0;

  /** @param now time in ms, of the same clock as in {@link describe} */
  follow(event: ProgressEvent, now: number): void {
    if (event.kind === "begun") this.#running.set(event.step.urn, { ...event.step, since: now, status: "" });
    if (event.kind === "status") this.#report(event.urn, event.text);
    if (event.kind === "ended" && this.#running.delete(event.urn)) this.#ended += 1;
  }

  /**
   * Describes the step that has run longest, because the others often wait for it: `19 done; creating server-image
   * (42 s) and 2 more: step 7 of 23: Setting up libpq5`.
   */
  describe(now: number): string {
    const [oldest, ...others] = this.#running.values();
    const done = this.#ended === 0 ? [] : [`${this.#ended} done`];
    if (oldest === undefined) return [...done, this.#ended === 0 ? "starting" : "waiting for the next step"].join("; ");
    const { action, name, since, status } = oldest;
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    const step = `${withElapsed(`${doing[action] ?? action} ${name}`, now - since)}${more}`;
    return [...done, status === "" ? step : `${step}: ${status}`].join("; ");
  }

  #report(urn: string, text: string): void {
    const step = this.#running.get(urn);
    const last = stripVTControlCharacters(text)
      .split(/[\r\n]+/)
      .findLast((line) => line.trim() !== "");
    if (step !== undefined && last !== undefined) step.status = redact(last.trim());
  }
}
