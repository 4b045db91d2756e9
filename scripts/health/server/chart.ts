/** Points of a chart at most: more than pixels on a phone would only make the page larger. */
const mostPoints = 360;

/** Draws the known values as lines, with gaps for unknown ones. The caption tells the same to screen readers. */
export function chart(title: string, values: readonly (number | null)[]): string {
  const shown = values.slice(-mostPoints);
  const known = shown.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined || known.length < 2) return `<p>${title}: not enough values yet.</p>`;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const height = (value: number) => (high === low ? 50 : 100 - (100 * (value - low)) / (high - low));
  const lines: string[][] = [[]];
  for (const [index, value] of shown.entries()) {
    if (value === null) lines.push([]);
    else lines.at(-1)?.push(`${index},${height(value).toFixed(1)}`);
  }
  const drawn = lines.filter((line) => line.length > 1).map((line) => `<polyline points="${line.join(" ")}"/>`);
  const format = (value: number) => value.toLocaleString("en-US", { maximumFractionDigits: 1 });
  return `<figure><figcaption>${title}: now ${format(last)}, least ${format(low)}, most ${format(high)}</figcaption>
<svg viewBox="0 0 ${shown.length - 1} 100" preserveAspectRatio="none" aria-hidden="true">${drawn.join("")}</svg></figure>`;
}
