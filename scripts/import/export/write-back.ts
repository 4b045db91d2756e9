import type { ColumnMap, Transform } from "../map.ts";
import type { ColumnPlan } from "../plan.ts";
import { plainDecimal, shiftDecimal, trimmedDecimal } from "../values/decimal.ts";
import { parseJson } from "../values/json-parser.ts";
import { jsonbText } from "../values/json-text.ts";
import { writeJson } from "../values/json-write.ts";
import { type EpochUnit, microsOfText } from "../values/timestamp.ts";
import { scalarValue } from "../values/transform.ts";
import { JsonNumber, Problem, textOf, type Value } from "../values/value.ts";

/** A value of the target that is written back to a document. */
export interface TargetValue {
  /** As PostgreSQL prints it, arrays as JSON; null for NULL. */
  text: string | null;
  /** Key that the row had in the source, if the value is a UUID that the import made. */
  naturalKey: string | undefined;
}

/**
 * Lists values of the source that the import could convert to a value of the target, the likely one first. The caller
 * converts them and takes the first one that gives the target's value, so a wrong proposal is never written.
 *
 * @param sample value of this field in the document, else in another one: the result is spelled like it
 */
export function writtenBack(plan: ColumnPlan, map: ColumnMap | undefined, value: TargetValue, sample: Value): Value[] {
  const { text, naturalKey } = value;
  if (text === null) return sample === undefined ? [undefined, null] : [null, undefined];
  const as = typeof map === "object" ? map.as : undefined;
  if (plan.makesKey) return spelled(naturalKey ?? text, sample);
  return [...(as === undefined ? [] : byTransform(as, text, sample)), ...byType(plan, text, as, sample)];
}

/** The text, as number, boolean or string: in the order that fits the sample. */
function spelled(text: string, sample: Value): Value[] {
  const values: Value[] = [text];
  const plain = plainDecimal(text);
  if (typeof plain === "string" && /^-?[\d.]+$/.test(text)) {
    const short = trimmedDecimal(plain);
    if (typeof sample === "string") values.unshift(short);
    else values.unshift(new JsonNumber(short), new JsonNumber(plain));
  }
  if (text === "true" || text === "false") {
    if (typeof sample === "string") values.push(text === "true");
    else values.unshift(text === "true");
  }
  return values;
}

function byTransform(as: Transform, text: string, sample: Value): Value[] {
  switch (as.kind) {
    case "values":
      return Object.entries(as.values)
        .filter(([, to]) => textOf(scalarValue(to)) === text || (to === null && text === ""))
        .flatMap(([name]) => spelled(name, sample));
    case "boolean":
      return (text === "true" ? as.true : as.false).flatMap((each) => {
        const of = scalarValue(each);
        return typeof of === typeof sample ? [of] : [of, ...spelled(textOf(of) ?? "", sample)];
      });
    case "scaled":
      return spelled(shiftDecimal(text, -as.digits), sample);
    case "list": {
      const parsed = parseJson(text);
      if (!Array.isArray(parsed)) return [];
      if (Array.isArray(sample)) return [parsed];
      return as.separator === undefined ? [writeJson(parsed)] : [parsed.map(textOf).join(as.separator)];
    }
    default:
      return [];
  }
}

function byType({ target }: ColumnPlan, text: string, as: Transform | undefined, sample: Value): Value[] {
  switch (target.type.base) {
    case "jsonb":
    case "json":
    case "array": {
      const parsed = parseJson(text);
      return [...(parsed instanceof Problem ? [] : [like(sample, parsed)]), text];
    }
    case "date":
    case "timestamp":
    case "timestamptz":
      return times(text, as?.kind === "timestamp" ? as.unit : undefined, sample);
    case "text":
    case "varchar":
    case "bpchar":
    case "uuid":
      return typeof sample === "string" || sample === undefined || sample === null ? [text] : spelled(text, sample);
    default:
      return spelled(text, sample);
  }
}

/** Takes what is equal from the sample: jsonb keeps neither the order of names nor the spelling of numbers. */
function like(sample: Value, value: Value): Value {
  if (jsonbText(sample) === jsonbText(value) && sample !== undefined) return sample;
  if (Array.isArray(sample) && Array.isArray(value)) return value.map((each, index) => like(sample[index], each));
  if (!(sample instanceof Map) || !(value instanceof Map)) return value;
  const names = [...sample.keys()].filter((name) => value.has(name));
  const others = [...value.keys()].filter((name) => !sample.has(name));
  return new Map([...names, ...others].map((name) => [name, like(sample.get(name), value.get(name))]));
}

const unitDigits: Readonly<Record<EpochUnit, number>> = { seconds: 6, milliseconds: 3, microseconds: 0 };

/** Spells a time in all ways that a document can have, the sample's first. */
function times(text: string, unit: EpochUnit | undefined, sample: Value): Value[] {
  const micros = microsOfText(text, {});
  if (micros instanceof Problem) return [text];
  const units = unit === undefined ? (Object.keys(unitDigits) as EpochUnit[]) : [unit];
  const near = (each: EpochUnit) =>
    Math.abs(numberOf(micros, each).length - (textOf(sample) ?? "").replace(/\..*/, "").length);
  if (unit === undefined && sample instanceof JsonNumber) units.sort((a, b) => near(a) - near(b));
  const numbers = units.map((each) => new JsonNumber(numberOf(micros, each)));
  const named = typeof sample === "string" ? sample : "2000-01-01T00:00:00.000Z";
  const texts = /^\d+$/.test(named) ? numbers.map((each) => each.text) : [spelledTime(text, named), text];
  return sample instanceof JsonNumber || (typeof sample !== "string" && unit !== undefined)
    ? [...numbers, ...texts]
    : [...texts, ...numbers];
}

function numberOf(micros: bigint, unit: EpochUnit): string {
  return shiftDecimal(String(micros), -unitDigits[unit])
    .replace(/\.0*$/, "")
    .replace(/(\.\d*?)0+$/, "$1");
}

/** Spells a time of the target (`2024-01-02 03:04:05.678+00`) as the sample is spelled. */
function spelledTime(text: string, sample: string): string {
  const [, date = "", time = "00:00:00", fraction = ""] =
    /^(\S+?)(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?)?(?:\+00)?$/.exec(text) ?? [];
  if (/^\d{4}-\d\d-\d\d$/.test(sample) && time === "00:00:00" && fraction === "") return date;
  const digits = /\.(\d+)/.exec(sample)?.[1]?.length ?? 0;
  const shown = fraction.padEnd(digits, "0");
  const offset = /(?:Z|[+-]\d\d:?\d\d|[+-]\d\d)$/i.exec(sample)?.[0] ?? "";
  const zone = offset === "" || /^[+-]00(:?00)?$/.test(offset) ? offset : "Z";
  return `${date}${sample[10] ?? "T"}${time}${shown === "" ? "" : `.${shown}`}${zone}`;
}
