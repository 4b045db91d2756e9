/**
 * Works on parts with several sessions at once. Each part gets a promise that it awaits before it commits: it resolves
 * when the part before it is done, and rejects if that failed. So parts are committed in their order, and none behind
 * one that failed.
 *
 * @param next returns the next part; undefined if there is none
 * @throws the error of the first part that failed. Then all sessions have ended their work
 */
export async function inTurn<Session, Part>(
  sessions: readonly Session[],
  next: () => Part | undefined,
  work: (session: Session, part: Part, before: Promise<void>) => Promise<void>,
): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let hasFailed = false;
  const workOn = async (session: Session) => {
    for (let part = hasFailed ? undefined : next(); part !== undefined; part = hasFailed ? undefined : next()) {
      const own = work(session, part, last);
      own.catch(() => {
        hasFailed = true;
      });
      last = own;
      await own;
    }
  };
  for (const result of await Promise.allSettled(sessions.map(workOn)))
    if (result.status === "rejected") throw result.reason;
}
