import { text } from "node:stream/consumers";
import type Docker from "dockerode";

/** A container's end or beginning, as the engine noted it. */
interface LifeEvent {
  Action: string;
  timeNano: number;
}

/**
 * From when on a container that is gone let nobody in any more: it was told to end, or ended by itself. By the engine's clock, in ms since 1970.
 *
 * @param container its id
 * @param until when it was gone, by the same clock
 * @returns undefined: the engine, which keeps its last few hundred events only, does not know any more
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
    // Told to end, a server lets nobody in; it ends once it has written its checkpoint.
    else end ??= timeNano / 1e6;
  }
  return end;
}
