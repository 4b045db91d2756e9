import { NotKnown } from "../connection/observer.ts";

/** Time limit in ms for reading outside of the session, so that an engine that does not answer delays no snapshot. */
const limitMs = 3_000;

/**
 * Waits for values that are not read in the session.
 *
 * @param source name of what is asked, for the message
 * @throws NotKnown if it takes too long
 */
export async function inTime<Value>(source: string, reading: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotKnown(`${source} did not answer within ${limitMs} ms`)), limitMs);
  });
  // After the limit, no one waits for its failure.
  reading.catch(() => {});
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}
