/** Writes a name in one way: `createdAt`, `Created At` and `created-at` are `created_at`. */
export function normalized(name: string): string {
  return name
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, "$1_$2")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "_")
    .replaceAll(/^_+|_+$/g, "");
}

/** Removes the ending of an English plural. */
export function singular(name: string): string {
  if (name.endsWith("ies")) return `${name.slice(0, -3)}y`;
  if (/(s|x|ch|sh)es$/.test(name)) return name.slice(0, -2);
  return name.endsWith("s") && !name.endsWith("ss") ? name.slice(0, -1) : name;
}

/** A name that was found, and whether only its end is equal. */
export interface NameMatch<T> {
  found: T;
  isExact: boolean;
}

/** Finds the one of several that has a name, in singular or plural; else the only one that ends with it. */
export function matchName<T>(name: string, all: readonly T[], nameOf: (each: T) => string): NameMatch<T> | undefined {
  const wanted = singular(normalized(name));
  const exact = all.filter((each) => singular(normalized(nameOf(each))) === wanted);
  if (exact.length === 1 && exact[0] !== undefined) return { found: exact[0], isExact: true };
  if (exact.length > 1 || wanted === "") return undefined;
  const ending = all.filter((each) => {
    const other = singular(normalized(nameOf(each)));
    return other.endsWith(`_${wanted}`) || wanted.endsWith(`_${other}`);
  });
  return ending.length === 1 && ending[0] !== undefined ? { found: ending[0], isExact: false } : undefined;
}
