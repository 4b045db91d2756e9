import type { Known } from "../core/known.ts";

/** Time limit in ms: reading backups starts pgBackRest in a container. */
const limitMs = 15_000;

/** Ages in ms: at the first, a state is read again while it is still shown; at the second, it is not shown any more. */
const [freshMs, outdatedMs] = [60_000, 300_000];

/** A part of a stack's state that needs no session on the server: backups, deploys and drills. null: it has none. */
type StackPart<Value> = Known<{ value: Value | null }>;

/**
 * Reads a part of a stack's state within a time limit.
 *
 * @param read undefined if only a connection is known
 */
export async function readStackPart<Value>(
  read: (() => Promise<StackPart<Value>>) | undefined,
): Promise<StackPart<Value>> {
  if (read === undefined) return { known: false, reason: "only a connection is known; --stack names a stack" };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<StackPart<Value>>((resolve) => {
    const reason = `the repository was not read within ${limitMs / 1_000} s`;
    timer = setTimeout(() => resolve({ known: false, reason }), limitMs);
  });
  try {
    return await Promise.race([read(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns a reader that reads at most once a minute, because reading costs more than a query. A reader does not wait
 * for a new state as long as the last one is not outdated. One that gave no answer is asked again at once.
 */
export function cachedStackPart<Value>(read: () => Promise<StackPart<Value>>): () => Promise<StackPart<Value>> {
  let last: { at: number; state: StackPart<Value> } | undefined;
  let running: Promise<StackPart<Value>> | undefined;
  return async () => {
    const ageMs = performance.now() - (last?.at ?? Number.NEGATIVE_INFINITY);
    if (last?.state.known === true && ageMs < freshMs) return last.state;
    running ??= read()
      .then((state) => {
        last = { at: performance.now(), state };
        return state;
      })
      .finally(() => {
        running = undefined;
      });
    if (last?.state.known !== true || ageMs >= outdatedMs) return running;
    // A failure is thrown when the last state is outdated and the next reader waits.
    running.catch(() => {});
    return last.state;
  };
}
