import type { TablePlan } from "../plan.ts";

/** Returns true if the values of a field, given by its name or path, are not to be recorded. */
export function isMasked(field: string, mask: readonly string[] = []): boolean {
  return mask.includes(field) || mask.includes(field.split(".").at(-1) ?? "");
}

/** Returns true if a table's keys have values of a masked field. A UUID that was made of one shows nothing. */
export function isKeyMasked({ key, columns }: TablePlan, mask: readonly string[] = []): boolean {
  return columns.some(({ target, field, makesKey }) => key.includes(target.name) && !makesKey && isMasked(field, mask));
}

/** Replaces a value whose field is masked. */
export const maskedText = "[masked]";

/** Masks a value if its field is masked. In documents, members of any depth are masked by their name. */
export function maskedValue(name: string, value: unknown, mask: readonly string[] = []): unknown {
  if (mask.length === 0 || value === null) return value;
  if (isMasked(name, mask)) return maskedText;
  if (Array.isArray(value)) return value.map((each) => maskedValue("", each, mask));
  if (typeof value !== "object" || isRawNumber(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([member, each]) => [member, maskedValue(member, each, mask)]));
}

function isRawNumber(value: object): boolean {
  const { isRawJSON } = JSON as unknown as { isRawJSON?: (value: unknown) => boolean };
  return isRawJSON?.(value) === true;
}
