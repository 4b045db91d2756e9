import type { ReportFault } from "./report-fault.ts";
import { suggestion } from "./suggestion.ts";

/** Allowed values of settings that are whole numbers from 1 on, and what they are. */
export type Ranges<Name extends string> = Readonly<Record<Name, { max: number; unit: string }>>;

/**
 * Parses the whole numbers of a section, and reports every fault.
 *
 * @param others names of settings in the section that are no numbers; they are left out
 */
export function parseNumbers<Name extends string>(
  given: Readonly<Record<string, unknown>>,
  ranges: Ranges<Name>,
  report: ReportFault,
  others: readonly string[] = [],
): Partial<Record<Name, number>> {
  const isName = (name: string): name is Name => Object.hasOwn(ranges, name);
  const numbers: Partial<Record<Name, number>> = {};
  for (const [name, value] of Object.entries(given)) {
    if (others.includes(name)) continue;
    if (!isName(name)) report([name], `is not a setting${suggestion(name, [...Object.keys(ranges), ...others])}`);
    else if (isWithin(value, ranges[name].max)) numbers[name] = value;
    else report([name], `expected ${ranges[name].unit} from 1 to ${ranges[name].max}, got '${String(value)}'`);
  }
  return numbers;
}

function isWithin(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max;
}
