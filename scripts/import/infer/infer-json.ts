import type { ColumnMap, TableMap } from "../map.ts";
import type { Source } from "../source/source.ts";
import { type ChosenType, chooseType } from "./choose-type.ts";
import type { CreatedColumn, CreatedTable } from "./created-table.ts";
import { type InferProgress, mostKeyBytes, tableName } from "./inferred-table.ts";
import { Names } from "./names.ts";
import type { ColumnProfile } from "./profile.ts";
import type { Proposal } from "./proposal.ts";
import {
  innerCollections,
  isSmallFile,
  outerCollections,
  readDocumentFields,
  type SourceFields,
} from "./source-fields.ts";

/** Names of fields that identify documents, in the order in which they are tried. */
const keyNames = ["$name", "id", "_id", "uuid", "key"];
const position: ChosenType = { family: "integer", sql: "bigint", unsure: [] };

/**
 * Proposes tables that hold the documents of a JSON source, and the map that fills them. Each field is a column; nested
 * values stay together as jsonb.
 *
 * @param taken names that the created relations must not have
 */
export async function inferFromJson(
  source: Source,
  taken: readonly string[],
  onProgress: InferProgress,
  signal?: AbortSignal,
): Promise<Proposal> {
  const names = new Names("relations", taken);
  const proposal: Proposal = { map: { tables: [] }, tables: [], unsure: [], leftOut: [] };
  for (const from of outerCollections(source)) {
    const read = (name: string) => readDocumentFields(source, name, (rows) => onProgress(name, rows), signal);
    const members = innerCollections(source, from);
    // A file that is one object is one document. Its members are read one by one, and are tables themselves.
    const isRead = members.length === 0 || isSmallFile(source, from);
    const own = isRead ? await read(from) : undefined;
    const inner: string[] = [];
    for (const name of own === undefined || own.rows === 1 ? members : []) {
      const fields = await read(name);
      if (!isTable(fields)) continue;
      inner.push(name);
      addTable(fields, names, proposal, []);
    }
    const elsewhere = inner.map((name) => name.slice(from.length + 1));
    if (own !== undefined) addTable(own, names, proposal, elsewhere);
    else
      proposal.leftOut.push(
        `${from}: its members but ${elsewhere.join(", ")}, because the file is too large to be one row`,
      );
  }
  proposal.unsure.push(...names.renamed);
  return proposal;
}

/** An array, or an object of objects by their names, is a table if it holds nothing else than objects. */
function isTable({ fields, rows }: SourceFields): boolean {
  if (rows === 0 || fields.has("$value")) return false;
  // A single member can be a part of the file as well as a row.
  return !fields.has("$name") || rows > 1;
}

/** @param elsewhere members that are tables of their own */
function addTable(source: SourceFields, names: Names, proposal: Proposal, elsewhere: readonly string[]): void {
  const { from, rows, unreadable } = source;
  for (const field of unreadable)
    proposal.leftOut.push(`${from}: the field ${JSON.stringify(field)}, because no path can name it`);
  const fields = [...source.fields].filter(([path]) => !path.includes(".") && !elsewhere.includes(path));
  if (fields.length === 0) return;
  const columnNames = new Names("columns");
  const key = fields.find(([path, profile]) => keyNames.includes(path) && isKey(profile, rows));
  const columns: CreatedColumn[] = [];
  const entry: TableMap["columns"] = {};
  const add = (field: string, suggested: string, type: ChosenType, map: ColumnMap) => {
    const name = columnNames.give(suggested, `the field ${field} of ${from}`);
    columns.push({ name, type, notNull: false, defaultSql: undefined, isNumbered: false });
    entry[name] = map;
    return name;
  };
  let primaryKey = "";
  if (key === undefined) {
    primaryKey = add("$position", "position", position, "$position");
    proposal.unsure.push(`${from}: rows have no field that identifies them, so their position is the key`);
  }
  for (const [path, profile] of fields) {
    const declared = profile.dates > 0 && profile.dates === profile.filled ? "TIMESTAMP" : "";
    const type = chooseType(profile, declared, path === key?.[0]);
    const where = `${from}.${path}`;
    proposal.unsure.push(...[...type.unsure, ...notesOf(profile, rows)].map((text) => `${where}: ${text}`));
    const name = add(path, path.replace(/^\$/, ""), type, type.as === undefined ? path : { from: path, as: type.as });
    if (path === key?.[0]) primaryKey = name;
  }
  const target = names.give(from.replace(/\/\*$/, "").split(/[./]/).at(-1) ?? from, `the collection ${from}`);
  const created: CreatedTable = {
    name: target,
    columns,
    primaryKey: [primaryKey],
    uniques: [],
    checks: [],
    indexes: [],
    foreignKeys: [],
  };
  proposal.tables.push(created);
  proposal.map.tables.push({ to: tableName(target), from, columns: entry });
}

/** Returns true if a field has a text or an integer in each row. If one occurs twice, the import rejects its row. */
function isKey(profile: ColumnProfile, rows: number): boolean {
  const isOfOneKind = profile.isOnly("text") || profile.isOnly("integer");
  return profile.filled === rows && isOfOneKind && profile.mostBytes <= mostKeyBytes;
}

function notesOf(profile: ColumnProfile, rows: number): string[] {
  const notes: string[] = [];
  const absent = rows - profile.rows;
  if (absent > 0 && profile.nulls > 0)
    notes.push(`it is absent in ${absent} rows and null in ${profile.nulls}: both become NULL`);
  if (profile.counts.has("object")) notes.push("jsonb does not keep the order of names");
  if (
    profile.isOnly("text") &&
    profile.dates < profile.filled &&
    profile.firstOtherText === undefined &&
    !profile.times.has("clock")
  )
    notes.push("its texts look like times, and stay texts");
  return notes;
}
