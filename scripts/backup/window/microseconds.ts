/*
 * Times as PostgreSQL keeps them: whole microseconds, here since 1970 in UTC. A JavaScript Date has only milliseconds,
 * so no commit time and no target of a restore becomes one.
 */

const pattern = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))? ?(?:Z|UTC|\+00)$/;

const [minute, hour, day] = [60n, 3_600n, 86_400n];
const second = 1_000_000n;

/** Parses a time in UTC, such as `2026-11-29 05:17:59.014794 UTC`. */
export function parseTime(text: string): bigint {
  const [, year, month, dayOfMonth, hours, minutes, seconds, fraction = ""] = pattern.exec(text) ?? [];
  if (year === undefined) throw new Error(`'${text}' is not a time in UTC.`);
  const days = daysUntil(BigInt(year), BigInt(month ?? 1), BigInt(dayOfMonth ?? 1));
  const inDay = BigInt(hours ?? 0) * hour + BigInt(minutes ?? 0) * minute + BigInt(seconds ?? 0);
  return (days * day + inDay) * second + BigInt(fraction.padEnd(6, "0"));
}

/** Formats a time in UTC with all six digits: `2026-11-29T05:17:59.014794Z`. PostgreSQL reads this format. */
export function formatTime(microseconds: bigint): string {
  const [seconds, fraction] = [microseconds / second, microseconds % second];
  if (microseconds < 0n) throw new Error(`${microseconds} is before 1970.`);
  const [year, month, dayOfMonth] = dateAt(seconds / day);
  const rest = seconds % day;
  const two = (value: bigint) => String(value).padStart(2, "0");
  const time = [rest / hour, (rest % hour) / minute, rest % minute].map(two).join(":");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(dayOfMonth)}T${time}.${String(fraction).padStart(6, "0")}Z`;
}

/** Formats a time for people, with PostgreSQL's separators: `2026-11-29 05:17:59.014794 UTC`. */
export function displayTime(microseconds: bigint): string {
  return formatTime(microseconds).replace("T", " ").replace("Z", " UTC");
}

/*
 * The Gregorian calendar in eras of 400 years that begin on 1 March, so that a leap day is the last day of its year.
 * 719468 days are between the beginning of the first era and 1970.
 */
const [daysPerEra, daysBefore1970] = [146_097n, 719_468n];

function daysUntil(year: bigint, month: bigint, dayOfMonth: bigint): bigint {
  const shifted = month <= 2n ? year - 1n : year;
  const [era, yearOfEra] = [shifted / 400n, shifted % 400n];
  const dayOfYear = (153n * (month > 2n ? month - 3n : month + 9n) + 2n) / 5n + dayOfMonth - 1n;
  return era * daysPerEra + yearOfEra * 365n + yearOfEra / 4n - yearOfEra / 100n + dayOfYear - daysBefore1970;
}

function dateAt(days: bigint): [year: bigint, month: bigint, dayOfMonth: bigint] {
  const shifted = days + daysBefore1970;
  const [era, dayOfEra] = [shifted / daysPerEra, shifted % daysPerEra];
  const yearOfEra = (dayOfEra - dayOfEra / 1_460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const shiftedMonth = (5n * dayOfYear + 2n) / 153n;
  const month = shiftedMonth < 10n ? shiftedMonth + 3n : shiftedMonth - 9n;
  const year = yearOfEra + era * 400n + (month <= 2n ? 1n : 0n);
  return [year, month, dayOfYear - (153n * shiftedMonth + 2n) / 5n + 1n];
}
