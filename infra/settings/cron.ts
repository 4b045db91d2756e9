const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

interface Field {
  name: string;
  min: number;
  max: number;
  /** Names for numbers, beginning with `min`. */
  names?: readonly string[];
}

const fields: readonly Field[] = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of the month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: months },
  { name: "day of the week", min: 0, max: 7, names: days },
];

/** Why a text is no schedule in cron's syntax, five fields; undefined: it is one. The scheduler judges it again, days that never come included. */
export function scheduleFault(text: string): string | undefined {
  const written = text.trim().split(/\s+/);
  if (written.length !== fields.length)
    return `'${text}' is no schedule: it has ${written.length} fields, not 5 (minute, hour, day, month, weekday)`;
  for (const [index, field] of fields.entries()) {
    const value = written[index] ?? "";
    const faulty = value.split(",").find((part) => !isPart(part, field));
    if (faulty !== undefined) return `'${text}' is no schedule: its ${field.name} is '${value}'`;
  }
  return undefined;
}

/** `*`, `5`, `1-5`, each with a step: `*`+`/10`. */
function isPart(part: string, field: Field): boolean {
  const [range = "", step, ...more] = part.toLowerCase().split("/");
  if (more.length > 0 || (step !== undefined && !(/^\d+$/.test(step) && Number(step) > 0))) return false;
  if (range === "*") return true;
  const ends = range.split("-").map((end) => numberOf(end, field));
  const [first, last] = ends;
  if (first === undefined || ends.length > 2 || ends.includes(undefined)) return false;
  if (ends.length === 1) return step === undefined;
  return last !== undefined && first <= last;
}

function numberOf(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text) ?? -1;
  if (named >= 0) return named + min;
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
