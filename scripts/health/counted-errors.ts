import { z } from "zod";
import { NotKnown } from "../connection/observer.ts";
import type { ErrorCounts } from "./logged-errors.ts";

/** Path in the server's container and in its log volume, as in infra/images/postgres/bin/error-count. */
export const countsPath = "/var/lib/pgroundwork/log/errors.json";

/** Age in seconds above which counts are not current: they are written every 10 s. The clocks may differ. */
const maxAgeSeconds = 300;

/** File of error-count, as far as it is used here. Times are in seconds since 1970. */
const countsFile = z.object({
  readAt: z.number(),
  since: z.number(),
  kinds: z.array(
    z.object({
      severity: z.string(),
      class: z.string(),
      sqlstate: z.string(),
      database: z.string(),
      count: z.number(),
      last: z.number(),
    }),
  ),
});

/**
 * Parses the errors that a server's container has counted in its log.
 *
 * @param server name of the container, for messages
 * @throws NotKnown if there are no counts, or only old ones
 */
export function parseCountedErrors(text: string | undefined, server: string): ErrorCounts {
  if (text === undefined) throw new NotKnown(`the container ${server} counts no errors: its image is older`);
  const { readAt, since, kinds } = countsFile.parse(JSON.parse(text));
  if (Date.now() / 1_000 - readAt > maxAgeSeconds)
    throw new NotKnown(`the log of the container ${server} was last read at ${dateOf(readAt).toISOString()}`);
  const counts = kinds.map((kind) => ({
    severity: kind.severity,
    sqlstateClass: kind.class,
    sqlstate: kind.sqlstate || null,
    database: kind.database || null,
    count: kind.count,
    lastAt: dateOf(kind.last),
  }));
  return { countedSince: dateOf(since), counts, isBehind: false };
}

function dateOf(seconds: number): Date {
  return new Date(seconds * 1_000);
}
