/** A node of libpg-query's tree: one key, which is its kind. */
export type Tree = Record<string, unknown>;

/** Returns the fields of a node if it is of this kind. */
export function node(tree: unknown, kind: string): Record<string, unknown> | undefined {
  if (typeof tree !== "object" || tree === null || !(kind in tree)) return undefined;
  return (tree as Tree)[kind] as Record<string, unknown>;
}

/** Returns a list of a node, or an empty one. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Returns the parts of a name: `pg_catalog.now` is two. An asterisk is left out. */
export function nameParts(value: unknown): string[] {
  return list(value).flatMap((part) => {
    const text = node(part, "String")?.sval;
    return typeof text === "string" ? [text] : [];
  });
}

/** Returns the text of a string constant, without casts around it. */
export function stringConstant(tree: unknown): string | undefined {
  const constant = node(withoutCasts(tree), "A_Const")?.sval as { sval?: string } | undefined;
  // An empty text has no field at all.
  return constant === undefined ? undefined : (constant.sval ?? "");
}

/** Removes the casts around an expression. */
export function withoutCasts(tree: unknown): unknown {
  const cast = node(tree, "TypeCast");
  return cast === undefined ? tree : withoutCasts(cast.arg);
}

/** Parses a query and returns its SELECT statement. Undefined if it is none, or cannot be parsed. */
export async function parseSelect(text: string): Promise<Record<string, unknown> | undefined> {
  const { parse } = await import("libpg-query");
  try {
    const { stmts } = (await parse(text)) as { stmts?: { stmt: unknown }[] };
    return node(stmts?.[0]?.stmt, "SelectStmt");
  } catch {
    return undefined;
  }
}
