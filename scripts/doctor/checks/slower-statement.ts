import { NotKnown } from "../../connection/observer.ts";
import type { StatementDay } from "../../health/history.ts";
import type { Check } from "../check.ts";
import { count } from "../text.ts";
import type { Thresholds } from "../thresholds.ts";

export const slowerStatement: Check = {
  name: "slower-statement",
  title: "A statement became slower",
  scope: "server",
  async find(_, thresholds, { statements }) {
    if (!statements.known) throw new NotKnown(statements.reason);
    const problems = slowerStatements(statements.days, thresholds).map(({ id, before, now, calls }) => ({
      object: id,
      level: "warning" as const,
      detail: `Statement ${id} takes ${count(now)} ms on average, in ${count(calls)} calls on the last recorded day. On the days before, it took ${count(before)} ms.`,
      hint: "Look for a changed plan, more rows, or a dropped index. Its text is in pg_stat_statements.",
    }));
    return { problems };
  },
};

/**
 * Compares the mean time of each statement on the last recorded day with that of the days before, all together.
 *
 * @throws NotKnown if too few days were recorded
 */
export function slowerStatements(
  days: readonly StatementDay[],
  { slowerFactor, slowerMs, slowerCalls, slowerDays }: Thresholds,
): { id: string; before: number; now: number; calls: number }[] {
  const recorded = [...new Set(days.map(({ day }) => day))];
  const last = Math.max(...recorded);
  if (recorded.length <= slowerDays)
    throw new NotKnown(`only ${recorded.length} days of statements were recorded, not ${slowerDays + 1}`);
  return days.flatMap(({ day, id, calls, totalMs }) => {
    if (day !== last || calls < slowerCalls) return [];
    const earlier = days.filter((each) => each.id === id && each.day < last);
    const earlierCalls = earlier.reduce((sum, each) => sum + each.calls, 0);
    if (earlierCalls < slowerCalls) return [];
    const before = earlier.reduce((sum, each) => sum + each.totalMs, 0) / earlierCalls;
    const now = totalMs / calls;
    return now >= slowerMs && now >= slowerFactor * before ? [{ id, before, now, calls }] : [];
  });
}
