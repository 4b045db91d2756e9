import { Cron } from "croner";

/** Two leap years are among them: whatever comes at all comes twice. */
const years = 5;
const secondsOfDay = 86_400;
const firstDay = Date.UTC(2024, 0, 1);
const dayAfterLast = Date.UTC(2024 + years, 0, 1);

const fields = ["minute", "hour", "day of the month", "month", "day of the week"];

/** Why a text is no schedule in cron's syntax, five fields; undefined: it is one. The scheduler judges it again, days that never come included. */
export function scheduleFault(text: string): string | undefined {
  const written = text.trim().split(/\s+/);
  if (written.length !== fields.length)
    return `'${text}' is no schedule: it has ${written.length} fields, not 5 (minute, hour, day, month, weekday)`;
  const faulty = written.findIndex((value, index) => !isField(value, index));
  return faulty < 0 ? undefined : `'${text}' is no schedule: its ${fields[faulty]} is '${written[faulty]}'`;
}

/**
 * The longest time between two moments of a schedule.
 *
 * @param schedule in cron's syntax, five fields, valid, in UTC
 * @returns seconds; undefined: the schedule has no two moments, such as 30 February
 */
export function longestInterval(schedule: string): number | undefined {
  const [minute = "", hour = "", ...dates] = schedule.trim().split(/\s+/);
  // Apart from each other, since every minute of five years would be two and a half million moments.
  const times = momentsOf(`${minute} ${hour} * * *`, firstDay + secondsOfDay * 1_000);
  const days = momentsOf(`0 0 ${dates.join(" ")}`, dayAfterLast);
  if (times.length * days.length < 2) return undefined;
  const overnight = secondsOfDay - ((times.at(-1) ?? 0) - (times[0] ?? 0));
  const nights = gaps(days).map((gap) => gap - secondsOfDay + overnight);
  return Math.max(...gaps(times), ...nights);
}

/**
 * The longest times between two backups of a kind, in seconds, by pgBackRest's name of the kind. A full one is as good as an incremental one, so that the time
 * between incremental ones is at most that between full ones.
 */
export function backupIntervals(schedules: {
  full: string;
  incremental: string;
}): { full: number; incr: number } | undefined {
  const full = longestInterval(schedules.full);
  if (full === undefined) return undefined;
  const incremental = longestInterval(schedules.incremental) ?? full;
  return { full, incr: Math.min(full, incremental) };
}

/** Numbers, names and signs of cron's own: what croner takes beyond them, and a Sunday that ends a week, the scheduler in the image does not. */
const onlyCron = /^(?:[\d*,/-]|(?<![a-z])[a-z]{3}(?![a-z]))+$/i;

function isField(value: string, index: number): boolean {
  if (!onlyCron.test(value) || /-sun/i.test(value)) return false;
  try {
    cron(fields.map((_, each) => (each === index ? value : "*")).join(" "));
    return true;
  } catch {
    return false;
  }
}

function cron(schedule: string): Cron {
  return new Cron(schedule, { mode: "5-part", paused: true, utcOffset: 0 });
}

/**
 * Seconds since the first day, from its first moment on.
 *
 * @param end ms since 1970, and no moment any more
 */
function momentsOf(schedule: string, end: number): number[] {
  const job = cron(schedule);
  const moments: number[] = [];
  for (let next = job.nextRun(new Date(firstDay - 1)); next !== null && next.getTime() < end; next = job.nextRun(next))
    moments.push((next.getTime() - firstDay) / 1_000);
  return moments;
}

function gaps(moments: readonly number[]): number[] {
  return moments.slice(1).map((moment, index) => moment - (moments[index] ?? moment));
}
