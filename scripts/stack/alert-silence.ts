import { orWarn } from "../core/or-warn.ts";
import { withDocker } from "../docker/client.ts";
import { isRunning } from "../docker/server/running.ts";
import { addSilence, expireSilence, knownAlerts } from "../health/alertmanager.ts";
import type { DockerPlace } from "./docker-place.ts";

/** Times in seconds. */
export interface SilenceTimes {
  /** End of a silence that is not renewed, because the command was killed. */
  length: number;
  renewal: number;
  /** Rest of the silence after the work: until Prometheus has measured and evaluated the result of the work. */
  rest: number;
}

const usualTimes: SilenceTimes = { length: 600, renewal: 240, rest: 60 };

/** Silences the alerts that begin while a command works on a stack. What was firing before is still reported. */
export class AlertSilence {
  readonly #comment: string;
  readonly #onWarning: (text: string) => void;
  readonly #times: SilenceTimes;
  #begun: { place: DockerPlace; known: string[]; ids: string[]; timer: NodeJS.Timeout } | undefined;
  #renewal: Promise<void> = Promise.resolve();

  /** @param onWarning gets the reason why alerts are not silenced. The work does not fail for it. */
  constructor(comment: string, onWarning: (text: string) => void, times: Partial<SilenceTimes> = {}) {
    this.#comment = comment;
    this.#onWarning = onWarning;
    this.#times = { ...usualTimes, ...times };
  }

  /** Begins the silence if the stack has a running Alertmanager. A second call does nothing. */
  async begin(place: DockerPlace): Promise<void> {
    if (this.#begun !== undefined) return;
    await orWarn(this.#onWarning, "Alerts are not silenced", async () => {
      const known = await withDocker(place.host, async (docker) => {
        const container = containerOf(place);
        return (await isRunning(docker, container)) ? knownAlerts({ docker, container }) : undefined;
      });
      if (known === undefined) return;
      const ids = [await this.#add(place, known, this.#times.length)];
      const timer = setInterval(() => {
        // Nothing awaits it until the end, so an error must not escape.
        this.#renewal = this.#renewal.then(() => this.#renew()).catch((error) => this.#onWarning(String(error)));
      }, this.#times.renewal * 1_000);
      this.#begun = { place, known, ids, timer: timer.unref() };
    });
  }

  /** Ends the silence shortly after the work. */
  async end(): Promise<void> {
    if (this.#begun === undefined) return;
    const { place, known, ids, timer } = this.#begun;
    this.#begun = undefined;
    clearInterval(timer);
    await this.#renewal;
    await orWarn(this.#onWarning, "The silence of alerts ends by itself within 10 minutes", async () => {
      // The work may have stopped Alertmanager, or removed it.
      if (!(await withDocker(place.host, (docker) => isRunning(docker, containerOf(place))))) return;
      await this.#add(place, known, this.#times.rest);
      await this.#expire(place, ids);
    });
  }

  async #renew(): Promise<void> {
    if (this.#begun === undefined) return;
    const { place, known, ids } = this.#begun;
    await orWarn(this.#onWarning, "The silence of alerts was not renewed", async () => {
      const before = ids.splice(0);
      ids.push(await this.#add(place, known, this.#times.length));
      await this.#expire(place, before);
    });
  }

  #add(place: DockerPlace, known: string[], seconds: number): Promise<string> {
    return withDocker(place.host, (docker) =>
      addSilence({ docker, container: containerOf(place) }, { known, comment: this.#comment, seconds }),
    );
  }

  #expire(place: DockerPlace, ids: readonly string[]): Promise<void> {
    return withDocker(place.host, async (docker) => {
      for (const id of ids) await expireSilence({ docker, container: containerOf(place) }, id);
    });
  }
}

function containerOf({ prefix }: DockerPlace): string {
  return `${prefix}-alertmanager`;
}
