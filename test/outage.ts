import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Connection, clientConfig } from "../scripts/connection/connection.ts";

/**
 * Connects to a server repeatedly. `end` waits for one more answer, stops, and returns the longest time without an
 * answer, in seconds.
 */
export function watchOutage(connection: Connection, everyMilliseconds = 50): { end(): Promise<number> } {
  let watching = true;
  const watched = (async () => {
    let longest = 0;
    let last = performance.now();
    // An outage that is still going on at the end is measured up to the next answer.
    for (let answered = false; watching || !answered; await sleep(everyMilliseconds)) {
      answered = await answers(connection);
      if (!answered) continue;
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
    return longest / 1_000;
  })();
  return {
    end: () => {
      watching = false;
      return watched;
    },
  };
}

/** Returns true if a new connection gets an answer. */
async function answers(connection: Connection): Promise<boolean> {
  const client = new pg.Client({ ...clientConfig(connection), connectionTimeoutMillis: 1_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
