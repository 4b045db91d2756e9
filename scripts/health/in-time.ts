import { NotKnown } from "../connection/observer.ts";

/** Time limit in ms for reading outside of the session, so that an engine that does not answer delays no snapshot. */
const limitMs = 3_000;

/**
 * Waits for values that are not read in the session.
 *
 * @param source name of what is asked, for the message
 * @throws NotKnown if it takes too long
 */
export function inTime<Value>(source: string, reading: Promise<Value>): Promise<Value> {
  return within(limitMs, `${source} did not answer within ${limitMs} ms`, reading);
}

/**
 * Waits for work, but not longer than the limit.
 *
 * @param reason message of the error
 * @throws NotKnown if it takes longer
 */
export async function within<Value>(limit: number, reason: string, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotKnown(reason)), limit);
  });
  // After the limit, no one waits for its failure.
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
