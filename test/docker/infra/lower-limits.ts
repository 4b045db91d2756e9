/** A replacement in the expression of an alert rule. */
export type LowerLimit = readonly [rule: string, from: string, to: string];

/**
 * Replaces limits of alert rules, so that values of a healthy stack are above them.
 *
 * @throws Error if a rule does not have the limit
 */
export function withLowerLimits(rules: string, limits: readonly LowerLimit[]): string {
  let text = rules;
  for (const [rule, from, to] of limits) {
    const start = text.indexOf(`alert: ${rule}\n`);
    const end = text.indexOf("labels:", start);
    const expression = text.slice(start, end);
    if (start < 0 || !expression.includes(from)) throw new Error(`${rule} has no ${from}.`);
    text = text.slice(0, start) + expression.replaceAll(from, to) + text.slice(end);
  }
  return text;
}
