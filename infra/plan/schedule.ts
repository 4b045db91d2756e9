/** Names that stand for numbers, from the field's lowest on. */
const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const dayMilliseconds = 86_400_000;
/** Two leap years are among them: whatever comes at all comes twice. */
const days = 5 * 366;
const firstDay = Date.UTC(2024, 0, 1);

/**
 * The longest time between two moments of a schedule.
 *
 * @param schedule in cron's syntax, five fields, valid, in UTC
 * @returns seconds; undefined: the schedule has no two moments, such as 30 February
 */
export function longestInterval(schedule: string): number | undefined {
  const [minutes = "", hours = "", monthDays = "", monthNames = "", weekDays = ""] = schedule.trim().split(/\s+/);
  const times = [...values(hours, 0, 23)].flatMap((hour) =>
    [...values(minutes, 0, 59)].map((minute) => hour * 3_600 + minute * 60),
  );
  const isDue = dayFilter(monthDays, monthNames, weekDays);
  let longest: number | undefined;
  let before: number | undefined;
  for (let day = 0; day < days; day += 1) {
    if (!isDue(new Date(firstDay + day * dayMilliseconds))) continue;
    for (const time of times) {
      const moment = (day * dayMilliseconds) / 1_000 + time;
      if (before !== undefined) longest = Math.max(longest ?? 0, moment - before);
      before = moment;
    }
  }
  return longest;
}

/**
 * The longest times between two backups of a kind, in seconds, by pgBackRest's name of the kind. A full one is as good as an incremental one, so that the time
 * between incremental ones is at most that between full ones.
 */
export function backupIntervals(schedules: { full: string; incremental: string }): Record<string, number> {
  const full = longestInterval(schedules.full);
  const incremental = longestInterval(schedules.incremental) ?? full;
  if (full === undefined || incremental === undefined) return {};
  return { full, incr: Math.min(full, incremental) };
}

/** A day of the month and one of the week that are both restricted are alternatives, as cron has it. */
function dayFilter(monthDays: string, monthNames: string, weekDays: string): (date: Date) => boolean {
  const inMonth = values(monthDays, 1, 31);
  const inYear = values(monthNames, 1, 12, months);
  // Sunday is 0 and 7.
  const inWeek = new Set([...values(weekDays, 0, 7, weekdays)].map((day) => day % 7));
  const isEither = !monthDays.startsWith("*") && !weekDays.startsWith("*");
  return (date) => {
    if (!inYear.has(date.getUTCMonth() + 1)) return false;
    const [byMonth, byWeek] = [inMonth.has(date.getUTCDate()), inWeek.has(date.getUTCDay())];
    return isEither ? byMonth || byWeek : byMonth && byWeek;
  };
}

/** The numbers that a field names, ascending. */
function values(field: string, min: number, max: number, names: readonly string[] = []): Set<number> {
  const number = (text: string) => {
    const named = names.indexOf(text.toLowerCase());
    return named < 0 ? Number(text) : named + min;
  };
  const found: number[] = [];
  for (const part of field.split(",")) {
    const [range = "", step = "1"] = part.split("/");
    const [from = "", to] = range === "*" ? [String(min), String(max)] : range.split("-");
    const first = number(from);
    // `5/10` counts from 5 to the end.
    const last = to !== undefined ? number(to) : part.includes("/") ? max : first;
    for (let value = first; value <= last; value += Number(step)) found.push(value);
  }
  return new Set(found.sort((a, b) => a - b));
}
