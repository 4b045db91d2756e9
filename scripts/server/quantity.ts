/** Units in PostgreSQL's configuration file, with their size in the smallest unit of the family. Largest first. */
const units: readonly (readonly { name: string; size: number }[])[] = [
  [
    { name: "TB", size: 2 ** 40 },
    { name: "GB", size: 2 ** 30 },
    { name: "MB", size: 2 ** 20 },
    { name: "kB", size: 2 ** 10 },
    { name: "B", size: 1 },
  ],
  [
    { name: "d", size: 86_400_000_000 },
    { name: "h", size: 3_600_000_000 },
    { name: "min", size: 60_000_000 },
    { name: "s", size: 1_000_000 },
    { name: "ms", size: 1_000 },
    { name: "us", size: 1 },
  ],
];

/**
 * Returns the units allowed for a setting with this base unit (`unit` of pg_settings: `kB`, `8kB`, `ms`, …), smallest
 * first.
 */
export function unitsOf(unit: string): string[] {
  return (scaleOf(unit)?.family ?? []).map(({ name }) => name).toReversed();
}

/**
 * Parses a number as PostgreSQL does in its configuration file, and converts it to the setting's base unit. Returns
 * undefined if it is not a number. Follows `parse_int` and `parse_real` of PostgreSQL 17
 * (src/backend/utils/misc/guc.c).
 *
 * @param unit base unit in pg_settings; empty if the setting has none
 * @param whole true if the setting takes whole numbers only, to which a fraction is rounded
 */
export function parseQuantity(text: string, unit: string, whole: boolean): number | undefined {
  const found =
    /^\s*([-+]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?))\s*([a-zA-Z]*)\s*$/.exec(text);
  if (found === null) return undefined;
  const [, digits = "", written = ""] = found;
  const number = numberOf(digits, whole);
  if (written === "") return whole ? rounded(number) : number;
  const scale = scaleOf(unit);
  const index = scale?.family.findIndex(({ name }) => name === written) ?? -1;
  const given = scale?.family[index];
  if (scale === undefined || given === undefined) return undefined;
  const value = (number * given.size) / scale.base;
  // A fraction of a unit is rounded to whole numbers of the next smaller one: 0.1GB are 102MB.
  const next = scale.family[index + 1];
  const step = next === undefined ? 0 : next.size / scale.base;
  const stepped = step > 0 && !Number.isInteger(number) ? rounded(value / step) * step : value;
  return whole ? rounded(stepped) : stepped;
}

/** Formats a value in a setting's base unit, with the largest unit that loses nothing, as `SHOW` does. */
export function formatQuantity(value: number, unit: string): string {
  const scale = scaleOf(unit);
  if (scale === undefined || value <= 0) return `${value}`;
  const amount = value * scale.base;
  const largest = scale.family.find(({ size }) => amount % size === 0);
  return largest === undefined ? `${value}${unit}` : `${amount / largest.size}${largest.name}`;
}

/** Returns the size of a base unit. `8kB` is a unit of eight kB: numbers without a unit count blocks. */
function scaleOf(unit: string) {
  const [, factor = "", name] = /^(\d*)([a-zA-Z]+)$/.exec(unit) ?? [];
  for (const family of units) {
    const size = family.find((each) => each.name === name)?.size;
    if (size !== undefined) return { family, base: Number(factor || 1) * size };
  }
  return undefined;
}

/** Parses digits. Whole numbers can be hexadecimal or, with a leading zero, octal. */
function numberOf(digits: string, whole: boolean): number {
  const [, sign = "", rest = ""] = /^([-+]?)(.*)$/.exec(digits) ?? [];
  const isOctal = whole && /^0[0-7]+$/.test(rest);
  const size = isOctal ? Number.parseInt(rest, 8) : Number(rest);
  return sign === "-" ? -size : size;
}

/** Rounds to the nearest whole number. Halves go to the even one, as in C's `rint`. */
function rounded(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
