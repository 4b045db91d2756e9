/** Properties in the form of a stack's exported state. */
export type RecordedProperties = Record<string, unknown>;

/** One resource of an exported state. */
export interface RecordedState {
  urn: string;
  type: string;
  inputs: RecordedProperties;
  outputs: RecordedProperties;
  [key: string]: unknown;
}

/** State of a stack, as `pulumi stack export` prints it below `deployment`. */
export interface Deployment {
  resources: RecordedState[];
  [key: string]: unknown;
}

/** Key and value that mark a secret in a state. */
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Maps every text and number of a state, including those in secrets. Keys stay unchanged. */
export function mapStrings(
  value: unknown,
  ofText: (text: string, key: string) => unknown,
  ofNumber: (value: number) => unknown = (number) => number,
  key = "",
): unknown {
  const map = (inner: unknown, at = key): unknown => mapStrings(inner, ofText, ofNumber, at);
  if (typeof value === "string") return ofText(value, key);
  if (typeof value === "number") return ofNumber(value);
  if (Array.isArray(value)) return value.map((item) => map(item));
  if (typeof value !== "object" || value === null) return value;
  const values = value as RecordedProperties;
  if (values[signature] === secretSignature) {
    return { ...values, plaintext: JSON.stringify(map(JSON.parse(String(values.plaintext)))) };
  }
  return Object.fromEntries(Object.entries(values).map(([name, inner]) => [name, map(inner, name)]));
}
