import { list, nameParts, node, parseSelect, stringConstant, withoutCasts } from "./tree.ts";

/** Limits that CHECK constraints set for one column. */
export interface CheckedColumn {
  /** The only texts that are allowed. */
  values?: string[];
  /** The only kind of JSON that is allowed. */
  json?: "object" | "array";
}

/** Reads what CHECK conditions allow in each column. A condition that is not understood limits nothing. */
export async function readChecks(conditions: readonly string[]): Promise<Map<string, CheckedColumn>> {
  const found = new Map<string, CheckedColumn>();
  for (const condition of conditions) {
    const select = await parseSelect(`select ${condition}`);
    const [target] = list(select?.targetList);
    for (const part of conjuncts(node(target, "ResTarget")?.val)) {
      const { column, ...limit } = allowedValues(part) ?? jsonKind(part) ?? {};
      if (column === undefined) continue;
      found.set(column, both(found.get(column), limit));
    }
  }
  return found;
}

/** Reads what CHECK conditions of a domain allow. */
export async function readDomainChecks(conditions: readonly string[]): Promise<CheckedColumn | undefined> {
  return (await readChecks(conditions)).get("value");
}

/** Combines two limits of a column: two lists allow what is in both. */
export function both(one: CheckedColumn | undefined, other: CheckedColumn): CheckedColumn {
  const values = one?.values?.filter((each) => other.values?.includes(each) ?? true) ?? other.values;
  return { ...one, ...other, ...(values !== undefined && { values }) };
}

type Limit = CheckedColumn & { column?: string };

/** Splits a condition at its ANDs. */
function conjuncts(tree: unknown): unknown[] {
  const bool = node(tree, "BoolExpr");
  return bool?.boolop === "AND_EXPR" ? list(bool.args).flatMap(conjuncts) : [tree];
}

/** Reads `column = any (array['a', 'b'])`, which is how PostgreSQL prints IN, `column = 'a'`, and an OR of these. */
function allowedValues(tree: unknown): Limit | undefined {
  const bool = node(tree, "BoolExpr");
  if (bool?.boolop === "OR_EXPR") {
    const parts = list(bool.args).map(allowedValues);
    const [first] = parts;
    const same = parts.every((part) => part?.column !== undefined && part.column === first?.column);
    return same && first !== undefined ? { ...first, values: parts.flatMap((part) => part?.values ?? []) } : undefined;
  }
  const comparison = node(tree, "A_Expr");
  const column = columnName(comparison?.lexpr);
  if (comparison === undefined || column === undefined || nameParts(comparison.name).join(".") !== "=")
    return undefined;
  const items =
    comparison.kind === "AEXPR_OP_ANY"
      ? list(node(withoutCasts(comparison.rexpr), "A_ArrayExpr")?.elements)
      : comparison.kind === "AEXPR_OP"
        ? [comparison.rexpr]
        : [];
  const values = items.map(stringConstant);
  if (values.length === 0 || values.some((value) => value === undefined)) return undefined;
  return { column, values: values as string[] };
}

/** Reads `jsonb_typeof(column) = 'object'`. */
function jsonKind(tree: unknown): Limit | undefined {
  const comparison = node(tree, "A_Expr");
  const call = node(comparison?.lexpr, "FuncCall");
  if (comparison?.kind !== "AEXPR_OP" || !/^jsonb?_typeof$/.test(nameParts(call?.funcname).at(-1) ?? ""))
    return undefined;
  const column = columnName(list(call?.args)[0]);
  const kind = stringConstant(comparison.rexpr);
  return column !== undefined && (kind === "object" || kind === "array") ? { column, json: kind } : undefined;
}

function columnName(tree: unknown): string | undefined {
  const parts = nameParts(node(withoutCasts(tree), "ColumnRef")?.fields);
  return parts.length === 1 ? parts[0] : undefined;
}
