import type { DeclaredForeignKey, DeclaredSchema } from "../source/schema.ts";
import { identifier } from "../target/target-table.ts";
import type { CreatedColumn } from "./created-table.ts";
import type { InferredTable } from "./inferred-table.ts";
import type { Proposal } from "./proposal.ts";

const actions = new Set(["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"]);

/** Adds the foreign keys that the values keep. Names the others: the import would reject the rows that break them. */
export function addForeignKeys(tables: readonly InferredTable[], schema: DeclaredSchema, { leftOut }: Proposal): void {
  for (const table of tables) {
    for (const key of table.declared.foreignKeys) {
      const parent = tables.find(({ declared }) => declared.name === key.parent);
      const fault = faultOf(table, key, parent, schema, leftOut);
      if (fault !== undefined || parent === undefined) {
        leftOut.push(`${table.declared.name}: the foreign key (${key.columns.join(", ")}) to ${key.parent}, ${fault}`);
        continue;
      }
      const names = (of: InferredTable, columns: readonly string[]) =>
        columns.map((name) => identifier(of.columns.get(name)?.name ?? name)).join(", ");
      table.created.foreignKeys.push(
        [
          `foreign key (${names(table, key.columns)})`,
          `references ${identifier(parent.created.name)} (${names(parent, key.parentColumns)})`,
          actions.has(key.onUpdate) ? `on update ${key.onUpdate.toLowerCase()}` : "",
          actions.has(key.onDelete) ? `on delete ${key.onDelete.toLowerCase()}` : "",
          key.isDeferred ? "deferrable initially deferred" : "",
        ]
          .filter((part) => part !== "")
          .join(" "),
      );
    }
  }
}

function faultOf(
  table: InferredTable,
  key: DeclaredForeignKey,
  parent: InferredTable | undefined,
  schema: DeclaredSchema,
  leftOut: string[],
): string | undefined {
  if (parent === undefined) return "because the source has no such table";
  const { columns, parentColumns } = key;
  if (columns.length !== parentColumns.length || parentColumns.some((name) => !parent.columns.has(name)))
    return "because the columns that it references do not exist";
  for (const [index, name] of columns.entries()) {
    const [child, other] = [table.columns.get(name), parent.columns.get(parentColumns[index] ?? "")];
    if (child === undefined || other === undefined) return "because a column does not exist";
    adoptType(table, name, child, other, leftOut);
    if (child.type.family !== other.type.family)
      return `because ${name} is ${child.type.sql} and ${parentColumns[index]} is ${other.type.sql}`;
  }
  const targets = parentColumns.map((name) => parent.columns.get(name)?.name ?? name);
  const isKey = [parent.created.primaryKey, ...parent.created.uniques].some(
    (unique) => unique.length === targets.length && targets.every((name) => unique.includes(name)),
  );
  if (!isKey) return `because (${parentColumns.join(", ")}) is no key of it`;
  const dangling = schema.danglingRows(table.declared, key);
  return dangling === 0
    ? undefined
    : `because ${dangling} of its rows ${dangling === 1 ? "references" : "reference"} a row that does not exist`;
}

/** A column without values gets the type of the column that it references. */
function adoptType(
  table: InferredTable,
  name: string,
  child: CreatedColumn,
  parent: CreatedColumn,
  leftOut: string[],
): void {
  if (table.profiles.get(name)?.filled !== 0 || child.type.family === parent.type.family) return;
  child.type = { ...parent.type, unsure: [] };
  // The default was translated for the type that it had.
  if (child.defaultSql === undefined) return;
  leftOut.push(
    `${table.declared.name}.${name}: the default, because it has no values and its type is that of its reference`,
  );
  child.defaultSql = undefined;
}
