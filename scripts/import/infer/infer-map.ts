import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { nearest } from "../../core/nearest.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { ColumnMap, TableMap } from "../map.ts";
import { planImport } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { readTargetTables, type TargetColumn, type TargetTable } from "../target/target-table.ts";
import { profileTable } from "./infer-sqlite.ts";
import { matchName, normalized } from "./match-names.ts";
import type { ColumnProfile } from "./profile.ts";
import type { Proposal } from "./proposal.ts";
import { proposeColumn } from "./propose-column.ts";
import {
  innerCollections,
  isSmallFile,
  noFields,
  outerCollections,
  readDocumentFields,
  type SourceFields,
} from "./source-fields.ts";

/** A table of the target with the name by which a map calls it. */
interface Candidate {
  name: string;
  table: TargetTable;
}

/**
 * Proposes a map from a source to the tables that the target has: by the names of tables and columns, their types, and
 * all values. Changes nothing. What fits no table or column is listed, and so is what the map still lacks.
 *
 * @throws OperationError (wrong usage) if no table fits
 */
export async function inferMap(options: {
  connection: Connection;
  /** Name of the database's folder. */
  database: string;
  source: Source;
  onProgress?: (table: string, rows: number) => void;
  signal?: AbortSignal | undefined;
}): Promise<Proposal> {
  const { connection, database, source, onProgress = () => {}, signal } = options;
  const candidates = await withClient(connection, readCandidates, "pgroundwork import");
  const proposal: Proposal = { map: { tables: [] }, tables: [], unsure: [], leftOut: [...source.notImported] };
  const matcher = new Matcher(candidates, proposal);
  if (source.kind === "sqlite") {
    for (const declared of source.declaredSchema()?.tables ?? []) {
      const fields = noFields(declared.name);
      fields.fields = await profileTable(source, declared, onProgress, signal);
      fields.rows = [...fields.fields.values()][0]?.rows ?? 0;
      matcher.add(fields, declared.name, undefined);
    }
  } else {
    for (const from of collectionsOf(source, matcher)) {
      const fields = await readDocumentFields(source, from, (rows) => onProgress(from, rows), signal);
      matcher.addDocument(fields, lastName(from));
    }
  }
  if (proposal.map.tables.length === 0)
    throw new OperationError("No table of the target has the name of a collection of the source.", {
      hint: "Create the tables first, or with --create.",
      exitCode: exitCode.usage,
    });
  await withClient(connection, (client) => checkMap(client, source, database, proposal), "pgroundwork import");
  return proposal;
}

async function readCandidates(client: Client): Promise<Candidate[]> {
  const { rows } = await client.query<{ name: string; quoted: string }>(
    `select relname as name, quote_ident(relname) as quoted from pg_class
      where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
  );
  const tables = await readTargetTables(
    client,
    rows.map(({ quoted }) => quoted),
  );
  return rows.flatMap(({ quoted }) => {
    const table = tables.get(quoted);
    return table === undefined ? [] : [{ name: quoted, table }];
  });
}

/** The last part of a collection's name: `users` of `wallet-db.users`, and of `data/users`, and of `users/*`. */
function lastName(from: string): string {
  return from.replace(/\/\*$/, "").split(/[./]/).at(-1) ?? from;
}

/** Collections of documents to read: the files, or the members of a file that is one object. */
function collectionsOf(source: Source, matcher: Matcher): string[] {
  return outerCollections(source).flatMap((file) => {
    const members = innerCollections(source, file);
    if (members.length === 0) return [file];
    const isKnown = members.some((name) => matcher.knows(lastName(name)));
    return !isKnown && matcher.knows(lastName(file)) && isSmallFile(source, file) ? [file] : members;
  });
}

/** Checks the proposal as an import would, and lists what it lacks. */
async function checkMap(client: Client, source: Source, database: string, proposal: Proposal): Promise<void> {
  try {
    await planImport(client, source, proposal.map, database);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const [, ...faults] = error.message.split("\n");
    proposal.unsure.push(...faults.map((fault) => `to complete: ${fault.replace(/^- /, "")}`));
  }
}

/** Fields of rows that belong to the rows of another table. */
interface Parent {
  candidate: Candidate;
  fields: SourceFields;
}

class Matcher {
  readonly #candidates: readonly Candidate[];
  readonly #proposal: Proposal;
  readonly #used = new Set<string>();

  constructor(candidates: readonly Candidate[], proposal: Proposal) {
    this.#candidates = candidates;
    this.#proposal = proposal;
  }

  /** Returns true if a table has a collection's name. */
  knows(name: string): boolean {
    return matchName(name, this.#candidates, ({ name: table }) => table)?.isExact === true;
  }

  /** Proposes entries for documents, and for the arrays in them. */
  addDocument(fields: SourceFields, name: string, parent?: Parent): void {
    const candidate = this.add(fields, name, parent);
    const own = candidate === undefined ? parent : { candidate, fields };
    for (const [path, child] of fields.children) this.addDocument(child, lastName(path), own);
  }

  /** Proposes the entry of a collection; returns the table, if one has its name. */
  add(fields: SourceFields, name: string, parent: Parent | undefined): Candidate | undefined {
    const { unsure, map } = this.#proposal;
    const label = fields.each === undefined ? fields.from : `${fields.from}, ${fields.each}`;
    const match = matchName(name, this.#candidates, ({ name: table }) => table);
    if (match === undefined || this.#used.has(match.found.name)) {
      // The fields of a child are part of its parent's array.
      unsure.push(`${label}: no table has its name, and its ${fields.rows} rows are not in the map`);
      return undefined;
    }
    const { found, isExact } = match;
    this.#used.add(found.name);
    if (!isExact) unsure.push(`${label}: is it ${found.name}? Only a part of the name is equal`);
    if (fields.isCut) unsure.push(`${label}: it has fields that were not looked at`);
    const columns = this.#columns(found, fields, parent, label);
    map.tables.push({ to: found.name, from: fields.from, ...(fields.each && { each: fields.each }), columns });
    return found;
  }

  #columns({ name, table }: Candidate, source: SourceFields, parent: Parent | undefined, label: string) {
    const { unsure } = this.#proposal;
    const columns: TableMap["columns"] = {};
    const taken = new Set<string>();
    for (const column of table.columns) {
      if (column.generated || column.identity === "a") continue;
      const field = fieldFor(column, name, table, source, taken);
      const reference = table.foreignKeys.find((key) => key.columns.includes(column.name));
      const where = `${label} -> ${name}.${column.name}`;
      if (field === undefined) {
        const ofParent = parentColumn(column, reference, parent);
        if (ofParent !== undefined) columns[column.name] = ofParent;
        else if (column.notNull && !column.hasDefault) unsure.push(`${where}: it is required, and no field fits`);
        continue;
      }
      taken.add(field.path);
      if (!field.isExact) unsure.push(`${where}: is it the field ${field.path}? The names differ`);
      const key = keyName(reference?.parent ?? name);
      const proposed = proposeColumn(field.path, field.profile, column, key, source.rows);
      columns[column.name] = proposed.map;
      unsure.push(...proposed.unsure.map((text) => `${where}: ${text}`));
    }
    for (const [path, profile] of source.fields) {
      const isRead = [...taken].some(
        (each) => each === path || each.startsWith(`${path}.`) || path.startsWith(`${each}.`),
      );
      if (!isRead && profile.filled > 0 && !source.children.has(path) && path !== "$name")
        unsure.push(`${label}: the field ${path} with ${profile.filled} values goes to no column`);
    }
    return columns;
  }
}

/** Name of the keys of a table, which its references use, too. */
function keyName(table: string): string {
  return (table.split(".").at(-1) ?? table).replaceAll('"', "");
}

interface FoundField {
  path: string;
  profile: ColumnProfile;
  isExact: boolean;
}

/** Finds the field that fills a column: by its path, by its last name, or by a name that is nearly equal. */
function fieldFor(
  { name }: TargetColumn,
  tableName: string,
  { uniques }: TargetTable,
  { fields }: SourceFields,
  taken: ReadonlySet<string>,
): FoundField | undefined {
  const wanted = normalized(name);
  const free = [...fields].filter(([path]) => !taken.has(path));
  const found = (list: [string, ColumnProfile][], isExact: boolean): FoundField | undefined => {
    const [only] = list;
    return list.length === 1 && only !== undefined ? { path: only[0], profile: only[1], isExact } : undefined;
  };
  const exact =
    found(
      free.filter(([path]) => normalized(path) === wanted),
      true,
    ) ??
    found(
      free.filter(([path]) => normalized(path.split(".").at(-1) ?? path) === wanted),
      true,
    );
  if (exact !== undefined) return exact;
  if (uniques.some(({ isPrimary, columns }) => isPrimary && columns?.length === 1 && columns[0] === name)) {
    const names = ["id", `${matchable(tableName)}_id`, "uuid", "key", "name"];
    const ids = free.filter(
      ([path]) => !path.includes(".") && names.includes(normalized(path)) && /id$|^\$name$|uuid|key/i.test(path),
    );
    return found(ids, ids[0]?.[0] === "$name");
  }
  const near = nearest(
    wanted,
    free.map(([path]) => normalized(path)),
  );
  return near === undefined
    ? undefined
    : found(
        free.filter(([path]) => normalized(path) === near),
        false,
      );
}

function matchable(name: string): string {
  return normalized(name).replace(/s$/, "");
}

/** A reference of an array's element to the row that has the array. */
function parentColumn(
  { type }: TargetColumn,
  reference: TargetTable["foreignKeys"][number] | undefined,
  parent: Parent | undefined,
): ColumnMap | undefined {
  if (reference === undefined || parent === undefined || reference.parent !== parent.candidate.table.name)
    return undefined;
  const id = parent.fields.fields.has("id") ? "id" : parent.fields.fields.has("$name") ? "$name" : undefined;
  if (id === undefined) return undefined;
  const from = `$parent.${id}`;
  return type.base === "uuid" ? { from, key: keyName(reference.parent) } : from;
}
