const units = ["B", "kB", "MB", "GB", "TB"];

/** Formats a number of bytes in powers of 1000. */
export function bytes(count: number): string {
  const power = Math.min(units.length - 1, count < 1 ? 0 : Math.floor(Math.log10(count) / 3));
  const value = count / 1_000 ** power;
  return `${power === 0 || value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${units[power]}`;
}
