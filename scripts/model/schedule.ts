import { Cron } from "croner";

/**
 * Years of a schedule to examine. They include two leap years, so that every moment that exists occurs at least twice.
 */
const years = 5;
const secondsOfDay = 86_400;
const firstDay = Date.UTC(2024, 0, 1);
const dayAfterLast = Date.UTC(2024 + years, 0, 1);

const fields = ["minute", "hour", "day of the month", "month", "day of the week"];

/**
 * Checks that a text is a cron schedule with five fields. Returns the error, or undefined if it is valid. The scheduler
 * checks it again and also rejects days that never occur.
 */
export function scheduleFault(text: string): string | undefined {
  const written = text.trim().split(/\s+/);
  if (written.length !== fields.length)
    return `'${text}' is not a schedule: it has ${written.length} fields instead of 5 (minute, hour, day, month, weekday)`;
  const faulty = written.findIndex((value, index) => !isField(value, index));
  return faulty < 0 ? undefined : `'${text}' is not a schedule: its ${fields[faulty]} is '${written[faulty]}'`;
}

/**
 * Returns the longest time between two moments of a schedule, in seconds.
 *
 * @param schedule valid cron syntax with five fields, in UTC
 * @returns undefined if the schedule has no two moments, such as 30 February
 */
export function longestInterval(schedule: string): number | undefined {
  const [minute = "", hour = "", ...dates] = schedule.trim().split(/\s+/);
  // Times and dates are computed separately, because every minute of five years would be two and a half million
  // moments.
  const times = momentsOf(`${minute} ${hour} * * *`, firstDay + secondsOfDay * 1_000);
  const days = momentsOf(`0 0 ${dates.join(" ")}`, dayAfterLast);
  if (times.length * days.length < 2) return undefined;
  const overnight = secondsOfDay - ((times.at(-1) ?? 0) - (times[0] ?? 0));
  const nights = gaps(days).map((gap) => gap - secondsOfDay + overnight);
  return Math.max(...gaps(times), ...nights);
}

/**
 * Returns the first moment of a schedule after a time. Undefined if there is none.
 *
 * @param schedule valid cron syntax with five fields, in UTC
 */
export function nextMoment(schedule: string, after: Date): Date | undefined {
  return cron(schedule).nextRun(after) ?? undefined;
}

/**
 * Returns the longest time between two backups of each type, in seconds. A full backup is as good as an incremental
 * one. So the interval of incremental backups is at most that of full ones.
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

/**
 * Numbers, names and signs that cron itself accepts. The scheduler in the image rejects croner's extensions, and a
 * range that ends in Sunday.
 */
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
 * Lists the moments of a schedule in seconds since the first day, beginning with its first moment.
 *
 * @param end exclusive, in ms since 1970
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
