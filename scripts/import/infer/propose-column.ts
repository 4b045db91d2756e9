import type { ColumnMap, Transform } from "../map.ts";
import type { TargetColumn } from "../target/target-table.ts";
import { dayOrder } from "./choose-type.ts";
import type { ColumnProfile } from "./profile.ts";

/** A column of a map, and what is not certain about it. */
export interface ProposedColumn {
  map: ColumnMap;
  unsure: string[];
}

/** Texts that mean true, with those that mean false. */
const truths: Readonly<Record<string, string>> = { true: "false", yes: "no", y: "n", t: "f", on: "off", "1": "0" };

/**
 * Proposes how a field fills a column of the target. The values decide between the transforms that the type allows.
 *
 * @param key name of the keys that a UUID is made of
 */
export function proposeColumn(
  from: string,
  profile: ColumnProfile,
  { type, notNull, hasDefault }: TargetColumn,
  key: string,
  rows: number,
): ProposedColumn {
  const unsure: string[] = [];
  const empty = rows - profile.filled;
  if (notNull && empty > 0)
    unsure.push(
      `${empty} rows have no value, which the column requires: set whenNull, or they are rejected${hasDefault ? " in spite of its default" : ""}`,
    );
  if (profile.invalidTexts > 0) unsure.push(`${profile.invalidTexts} texts cannot be stored (${profile.firstInvalid})`);
  if (type.base === "uuid" && profile.filled > 0 && profile.uuids !== profile.filled) {
    unsure.push(`UUIDs are made from its values, as keys of ${key}`);
    return { map: { from, key }, unsure };
  }
  const as = transformFor(profile, type.base, unsure);
  return { map: as === undefined ? from : { from, as }, unsure };
}

function transformFor(profile: ColumnProfile, base: string, unsure: string[]): Transform | undefined {
  switch (base) {
    case "bool":
      return truthOf(profile, unsure);
    case "date":
    case "timestamp":
    case "timestamptz":
      return timeOf(profile, base, unsure);
    case "json":
    case "jsonb":
      return jsonOf(profile, base, unsure);
    case "array":
      return listOf(profile, unsure);
    case "text":
    case "varchar":
      // Numbers become text only if the map says so.
      return profile.isOnly("boolean") || (profile.isOnly("integer", "text") && profile.counts.has("integer"))
        ? { kind: "text" }
        : undefined;
    default:
      if (/^(int[248]|numeric|float[48])$/.test(base) && profile.counts.has("text"))
        unsure.push(`it has texts (${profile.first.get("text")}), which are no ${base}`);
      return undefined;
  }
}

function truthOf(profile: ColumnProfile, unsure: string[]): Transform | undefined {
  if (profile.isOnly("boolean") || profile.filled === 0 || !profile.isOnly("text")) {
    if (profile.isOnly("integer") && (profile.least ?? 0n) >= 0n && (profile.greatest ?? 0n) <= 1n) return undefined;
    if (!profile.isOnly("boolean") && profile.filled > 0)
      unsure.push("its values are not only 0 and 1: say with a transform which mean true");
    return undefined;
  }
  const texts = [...(profile.distinct ?? [])];
  for (const [yes, no] of Object.entries(truths)) {
    if (texts.length === 0 || texts.some((text) => ![yes, no].includes(text.toLowerCase()))) continue;
    const spelled = (word: string) => {
      const found = texts.filter((text) => text.toLowerCase() === word);
      return found.length === 0 ? [word] : found;
    };
    return { kind: "boolean", true: spelled(yes), false: spelled(no) };
  }
  unsure.push(`say with a transform which of its texts mean true (${profile.first.get("text")})`);
  return undefined;
}

function timeOf(profile: ColumnProfile, base: string, unsure: string[]): Transform | undefined {
  const format: Extract<Transform, { kind: "timestamp" }> = { kind: "timestamp" };
  const units = [...profile.epochs.keys()];
  const [unit] = units;
  if (units.includes("none")) unsure.push('it has numbers that are no times between 1980 and 2100: set "unit"');
  else if (units.length === 1 && unit !== undefined && unit !== "none") format.unit = unit;
  else if (units.length > 1) unsure.push("its numbers have several units: each is read in the one that fits");
  const order = dayOrder(profile);
  if (order !== undefined) {
    format.order = order;
    unsure.push(`its dates are read as ${order === "dmy" ? "day, month" : "month, day"}, year`);
  } else if (profile.times.has("local")) unsure.push('its dates do not say which number is the day: set "order"');
  if (profile.firstOtherText !== undefined) unsure.push(`it has texts that are no time (${profile.firstOtherText})`);
  if (base === "timestamptz" && (profile.times.has("naive") || profile.times.has("date") || profile.times.has("local")))
    unsure.push('texts without an offset are read as UTC: set "zone"');
  return Object.keys(format).length === 1 ? undefined : format;
}

function jsonOf(profile: ColumnProfile, base: string, unsure: string[]): Transform | undefined {
  if (base === "json" || !profile.isOnly("text") || profile.jsonTexts === 0) return undefined;
  if (profile.jsonTexts < profile.filled)
    unsure.push(`${profile.filled - profile.jsonTexts} of its texts are no JSON, and become strings`);
  return profile.jsonTexts === profile.filled ? { kind: "json" } : undefined;
}

function listOf(profile: ColumnProfile, unsure: string[]): Transform | undefined {
  if (!profile.isOnly("text")) return undefined;
  if (profile.jsonTexts === profile.filled) return { kind: "list" };
  unsure.push("its texts are split at commas");
  return { kind: "list", separator: "," };
}
