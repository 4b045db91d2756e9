import { type Catalog, type CatalogObject, type ObjectKind, objectKey } from "./catalog.ts";

/** An object that differs from the expected schema. */
export interface Difference {
  kind: ObjectKind;
  name: string;
  what: "missing" | "extra" | "different";
  /** Definition; absent if there is no such object. */
  expected?: string;
  found?: string;
}

/**
 * Returns the differences between the expected and the found schema, sorted. Parts of a table that is missing or extra
 * as a whole are not listed separately.
 *
 * A missing partition is no difference. Neither is an extra one with the same definition as another partition of its
 * table: partitions are created at run time.
 */
export function compareCatalogs(expected: Catalog, found: Catalog): Difference[] {
  const differences: Difference[] = [];
  for (const [key, object] of expected) {
    const other = found.get(key);
    if (other === undefined) differences.push({ ...nameOf(object), what: "missing", expected: object.definition });
    else if (other.definition !== object.definition)
      differences.push({
        ...nameOf(object),
        what: "different",
        expected: object.definition,
        found: other.definition,
      });
  }
  for (const [key, object] of found) {
    if (!expected.has(key)) differences.push({ ...nameOf(object), what: "extra", found: object.definition });
  }
  return differences
    .filter((difference) => !isUsualPartition(difference, expected, found))
    .filter((difference) => !belongsToOther(difference, differences))
    .sort((a, b) => (objectKey(a) < objectKey(b) ? -1 : 1));
}

function nameOf({ kind, name }: CatalogObject): Pick<CatalogObject, "kind" | "name"> {
  return { kind, name };
}

function isUsualPartition({ kind, name, what }: Difference, expected: Catalog, found: Catalog): boolean {
  if (kind !== "partition" || what === "different") return false;
  const object = (what === "extra" ? found : expected).get(objectKey({ kind, name }));
  // A missing partition was never needed, or was detached and archived. Only existing partitions must match.
  if (what === "missing") return true;
  const sisters = [...expected.values()].filter((each) => each.kind === "partition" && each.parent === object?.parent);
  return sisters.some(({ definition }) => definition === object?.definition);
}

const parts: readonly ObjectKind[] = [
  "column",
  "constraint",
  "index",
  "trigger",
  "rule",
  "policy",
  "comment",
  "sequence",
];

/** Returns true if this is a part of a table or view that is missing or extra as a whole, which is listed already. */
function belongsToOther(difference: Difference, all: readonly Difference[]): boolean {
  if (difference.what === "different" || !parts.includes(difference.kind)) return false;
  const whole = all.filter(
    ({ kind, what }) => ["table", "view", "materialized view"].includes(kind) && what === difference.what,
  );
  const text = difference.expected ?? difference.found ?? "";
  return whole.some(({ name }) => {
    if (difference.name === `on ${name}` || difference.name.startsWith(`${name}.`)) return true;
    if (difference.name.startsWith(`on ${name}.`) || difference.name.startsWith(`on constraint ${name}.`)) return true;
    if (difference.name.startsWith(`on trigger ${name}.`)) return true;
    if (difference.kind === "index") return text.includes(` ON ${name} `) || text.includes(` ON ONLY ${name} `);
    return difference.kind === "sequence" && text.includes(`of ${name}.`);
  });
}
