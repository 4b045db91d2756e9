import { text } from "node:stream/consumers";
import type Docker from "dockerode";

/** Start or end of a container, as recorded by the engine. */
interface LifeEvent {
  Action: string;
  timeNano: number;
}

/**
 * Returns the time from which a removed container no longer accepted connections: it was told to stop, or ended by
 * itself. In ms since 1970, by the engine's clock.
 *
 * @param container id of the container
 * @param until time at which it was gone, by the same clock
 * @returns undefined if the engine no longer has the events; it keeps only the last few hundred
 */
export async function endOf(docker: Docker, container: string, until: number): Promise<number | undefined> {
  const stream = await docker.getEvents({
    since: 1,
    until: until / 1_000,
    filters: { container: [container], event: ["start", "kill", "die"] },
  });
  let end: number | undefined;
  for (const line of (await text(stream)).split("\n").filter((each) => each !== "")) {
    const { Action, timeNano } = JSON.parse(line) as LifeEvent;
    if (Action === "start") end = undefined;
    // A server that was told to stop refuses connections at once. It ends after it has written its checkpoint.
    else end ??= timeNano / 1e6;
  }
  return end;
}
