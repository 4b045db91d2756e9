import type { Client } from "pg";
import type { ColumnPlan, TablePlan } from "../plan.ts";
import { type ImportRun, joinKey } from "../run/ledger.ts";
import { canonical, comparedColumns } from "../run/source-sums.ts";
import { type JsonFile, type JsonRow, rowOf } from "../source/json/json-source.ts";
import type { Element } from "../source/json/scanner.ts";
import { plainValue, wrappedLike } from "../values/extended-json.ts";
import { writeJson } from "../values/json-write.ts";
import { Problem, type Value } from "../values/value.ts";
import type { ExportReport } from "./report.ts";
import type { Added, Rewriter, Rewritten } from "./rewrite-file.ts";
import { keyTexts, type TargetRow, TargetRows } from "./target-rows.ts";
import { writtenBack } from "./write-back.ts";

/** A document while it is rewritten. */
interface Document {
  row: JsonRow;
  isNew: boolean;
  isChanged: boolean;
  isRemoved: boolean;
  items: Item[];
}

/** A row of a table in a document: the object that holds its fields. */
interface Item {
  plan: TablePlan;
  document: Document;
  /** As the columns of the plan read it. */
  context: unknown;
  node: Map<string, Value>;
  isNew: boolean;
  isRejected: boolean;
  target: TargetRow | undefined;
}

/** An array of a document: the elements are rows of a table. */
interface Owner {
  document: Document;
  context: unknown;
  node: Map<string, Value>;
  path: string[];
}

/** Rewrites the documents of one collection as the tables of the target are. */
export class DocumentRewriter implements Rewriter {
  readonly #plans: readonly TablePlan[];
  readonly #rows = new Map<TablePlan, TargetRows>();
  readonly #report: ExportReport;
  readonly #canAdd: boolean;
  #file: JsonFile | undefined;
  /** Rows of each table that were read, as the import counted them. */
  readonly #ordinals = new Map<TablePlan, number>();
  readonly #samples = new Map<ColumnPlan, Value>();
  #position = 0n;

  /** @param plans entries of the map that read the collection */
  constructor(client: Client, run: ImportRun, plans: readonly TablePlan[], report: ExportReport, canAdd: boolean) {
    const depth = ({ entry }: TablePlan) => (entry.each === undefined ? 0 : entry.each.split("[].").length);
    this.#plans = [...plans].sort((a, b) => depth(a) - depth(b));
    this.#report = report;
    this.#canAdd = canAdd;
    for (const plan of plans) this.#rows.set(plan, new TargetRows(client, run, plan, plans));
  }

  async prepare(): Promise<void> {
    for (const rows of this.#rows.values()) await rows.prepare();
  }

  /** Returns the reason why new rows of a table go to no document; undefined if they do. */
  whyNotNew(plan: TablePlan): string | undefined {
    const rows = this.#rows.get(plan);
    if (rows?.knowsNew !== true) return "new rows cannot be told from those that were there before";
    if (plan.entry.each !== undefined)
      return rows.link === undefined ? "is new, and the map does not say to which document it belongs" : undefined;
    return undefined;
  }

  /** Begins with the next file of the collection. */
  begin(file: JsonFile): void {
    this.#file = file;
  }

  async rewrite(elements: readonly Element[]): Promise<Rewritten[]> {
    const documents = elements.map((element): Document | undefined => {
      const row = rowOf(element, this.#file as JsonFile, ++this.#position);
      if (row instanceof Problem || !(row.value instanceof Map)) return undefined;
      return { row, isNew: false, isChanged: false, isRemoved: false, items: [] };
    });
    await this.#process(documents);
    return documents.map((document) => {
      if (document?.isRemoved) return "removed";
      return document?.isChanged ? { text: writeJson(document.row.value) } : "same";
    });
  }

  async *added(): AsyncIterable<Added> {
    const primary = this.#plans.find(({ entry }) => entry.each === undefined);
    const rows = primary && this.#rows.get(primary);
    if (primary === undefined || rows?.knowsNew !== true) return;
    for await (const keys of rows.newKeys()) {
      if (!this.#canAdd) {
        for (const key of keys) this.#report.notWritten(primary.table.name, key.join(", "), undefined, "is new");
        continue;
      }
      const documents = keys.map((key) => this.#newDocument(primary, key));
      await this.#process(documents);
      for (const { row } of documents) yield { name: row.name, text: writeJson(row.value) };
    }
  }

  /** Makes a document that has only the fields of its key. */
  #newDocument(plan: TablePlan, key: readonly string[]): Document {
    const file = this.#file?.name ?? "";
    const row: JsonRow = { value: new Map(), name: undefined, file, position: ++this.#position };
    const document: Document = { row, isNew: true, isChanged: true, isRemoved: false, items: [] };
    for (const [index, name] of plan.key.entries()) {
      const column = plan.columns.find(({ target }) => target.name === name);
      const text = key[index] ?? "";
      if (column?.field === "$name") row.name = text;
      else if (column !== undefined)
        this.#set(column, plan, { context: row, node: row.value as Map<string, Value> }, text, text, undefined);
    }
    return document;
  }

  async #process(documents: readonly (Document | undefined)[]): Promise<void> {
    for (const plan of this.#plans) this.#count(plan, documents);
    const all = documents.filter((each) => each !== undefined);
    for (const plan of this.#plans) {
      if (plan.entry.each === undefined) await this.#fillRows(plan, all);
      else await this.#fillArrays(plan, all);
    }
    for (const document of all) if (document.isChanged && !document.isRemoved) this.#check(document);
  }

  /** Collects the rows that documents have, with the ordinals by which the import named them. */
  #count(plan: TablePlan, documents: readonly (Document | undefined)[]): void {
    const rejected = this.#rows.get(plan)?.rejected ?? new Set();
    let ordinal = this.#ordinals.get(plan) ?? 0;
    const add = (document: Document, context: unknown, node: Value) => {
      if (!document.isNew) ordinal++;
      if (!(node instanceof Map)) return;
      const isRejected = !document.isNew && rejected.has(ordinal);
      const item: Item = { plan, document, context, node, isNew: document.isNew, isRejected, target: undefined };
      document.items.push(item);
      for (const column of isRejected ? [] : plan.columns) {
        const value = getAt(node, column.field.split("."));
        if (value !== null && value !== undefined) this.#samples.set(column, value);
      }
    };
    for (const document of documents) {
      if (document === undefined) ordinal++;
      else if (plan.entry.each === undefined) add(document, document.row, document.row.value);
      else
        for (const owner of ownersOf(document, plan.entry.each))
          for (const [index, value] of arrayOf(owner).entries())
            add(document, { parent: owner.context, index: index + 1, value }, value);
    }
    this.#ordinals.set(plan, ordinal);
  }

  /** Writes the rows of a table whose fields are those of the documents themselves. */
  async #fillRows(plan: TablePlan, documents: readonly Document[]): Promise<void> {
    const items = documents.flatMap((document) => document.items.filter((item) => item.plan === plan));
    await this.#findByKeys(plan, items);
    const isPrimary = plan === this.#plans[0];
    for (const item of items) {
      if (item.target !== undefined || item.isRejected || item.isNew) continue;
      if (isPrimary) item.document.isRemoved = true;
      else this.#removeFields(plan, item);
      this.#report.count(plan.table.name, "removed");
    }
    await this.#writeItems(plan, items);
  }

  /** Writes the rows of a table that are elements of arrays. */
  async #fillArrays(plan: TablePlan, documents: readonly Document[]): Promise<void> {
    const rows = this.#rows.get(plan) as TargetRows;
    const items = documents.flatMap((document) => document.items.filter((item) => item.plan === plan));
    const owners = documents.flatMap((document) => ownersOf(document, plan.entry.each ?? ""));
    const links = owners.map((owner) => this.#linkText(rows, owner));
    const byLink = Map.groupBy(
      await rows.byLinks(links.filter((link) => link !== undefined)),
      ({ link }) => link ?? "",
    );
    if (rows.link === undefined) await this.#findByKeys(plan, items);
    const itemOf = new Map<Value, Item>(items.map((item) => [item.node, item]));
    for (const [index, owner] of owners.entries()) {
      const found = new Map((byLink.get(links[index] ?? "") ?? []).map((row) => [row.key, row]));
      for (const item of arrayOf(owner).flatMap((node) => itemOf.get(node) ?? [])) {
        const key = joinKey(keyTexts(plan, item.context) ?? []);
        if (rows.link !== undefined) item.target = found.get(key);
        found.delete(key);
        if (item.target !== undefined || item.isRejected) continue;
        setAt(
          owner.node,
          owner.path,
          arrayOf(owner).filter((each) => each !== item.node),
        );
        owner.document.isChanged = true;
        owner.document.items.splice(owner.document.items.indexOf(item), 1);
        this.#report.count(plan.table.name, "removed");
      }
      if (!rows.knowsNew) continue;
      for (const target of found.values())
        if (!rows.hidden.has(target.key)) items.push(this.#addElement(plan, owner, target));
    }
    await this.#writeItems(plan, items);
  }

  #addElement(plan: TablePlan, owner: Owner, target: TargetRow): Item {
    const node = new Map<string, Value>();
    const elements = [...arrayOf(owner), node];
    setAt(owner.node, owner.path, elements);
    owner.document.isChanged = true;
    const context = { parent: owner.context, index: elements.length, value: node };
    const item = { plan, document: owner.document, context, node, isNew: true, isRejected: false, target };
    owner.document.items.push(item);
    return item;
  }

  #linkText(rows: TargetRows, owner: Owner): string | undefined {
    if (rows.link === undefined) return undefined;
    const text = canonical(rows.link, { parent: owner.context, index: 0, value: new Map() });
    return text === null || text.startsWith("(problem") ? undefined : text;
  }

  async #findByKeys(plan: TablePlan, items: readonly Item[]): Promise<void> {
    const keys = items.map(({ context }) => keyTexts(plan, context));
    const rows = await this.#rows.get(plan)?.byKeys(keys.filter((key) => key !== undefined));
    const found = new Map(rows?.map((row) => [row.key, row]));
    for (const [index, item] of items.entries()) item.target = found.get(joinKey(keys[index] ?? []));
  }

  /** Writes the values that differ into the documents. */
  async #writeItems(plan: TablePlan, items: readonly Item[]): Promise<void> {
    const columns = comparedColumns(plan);
    const differing = items
      .filter(({ isRejected, target }) => !isRejected && target !== undefined)
      .map((item) => ({
        item,
        at: [...columns.keys()].filter(
          (index) => item.target?.values[index] !== canonical(columns[index] as ColumnPlan, item.context),
        ),
      }))
      .filter(({ item, at }) => at.length > 0 || item.isNew);
    const uuids = differing.flatMap(({ item, at }) =>
      at.flatMap((index) => (columns[index]?.makesKey ? [item.target?.texts[index] ?? ""] : [])),
    );
    const natural = await this.#rows.get(plan)?.naturalKeys(uuids);
    for (const { item, at } of differing) {
      item.document.isChanged = true;
      this.#report.count(plan.table.name, item.isNew ? "added" : "changed");
      for (const index of at) {
        const [text, value] = [item.target?.texts[index] ?? null, item.target?.values[index] ?? null];
        this.#set(columns[index] as ColumnPlan, plan, item, text, value, natural?.get(text ?? ""));
      }
    }
  }

  /** Sets the field of a column, if a value gives what the target has. */
  #set(
    column: ColumnPlan,
    { entry }: TablePlan,
    { context, node }: Pick<Item, "context" | "node">,
    text: string | null,
    wanted: string | null,
    naturalKey: string | undefined,
  ): void {
    if (column.field.startsWith("$") || column.field.startsWith("(")) return;
    const path = column.field.split(".");
    const before = getAt(node, path);
    const sample = before ?? this.#samples.get(column);
    const isJson = /^jsonb?$/.test(column.target.type.base);
    const plain = isJson ? sample : plainValue(sample);
    for (const value of writtenBack(column, entry.columns[column.target.name], { text, naturalKey }, plain)) {
      const written = isJson ? value : wrappedLike(sample, value);
      if (setAt(node, path, written) && canonical(column, context) === wanted) return;
    }
    setAt(node, path, before);
  }

  /** Removes the fields that only this table has. */
  #removeFields(plan: TablePlan, { node, document }: Item): void {
    const others = this.#plans.filter((each) => each !== plan && each.entry.each === undefined);
    const kept = new Set(others.flatMap(({ columns }) => columns.map(({ field }) => field)));
    for (const { field } of plan.columns)
      if (!field.startsWith("$") && !field.startsWith("(") && !kept.has(field))
        setAt(node, field.split("."), undefined);
    document.isChanged = true;
  }

  /** Reports what a document still says otherwise than the target. */
  #check({ items }: Document): void {
    for (const { plan, context, target, isNew, isRejected } of items) {
      if (isRejected || target === undefined) continue;
      for (const [index, column] of comparedColumns(plan).entries()) {
        const [ours, theirs] = [canonical(column, context), target.values[index] ?? null];
        if (ours === theirs || (isNew && isOfKey(plan, column, theirs))) continue;
        this.#report.notWritten(plan.table.name, target.key, column.target.name, reasonOf(column));
      }
    }
  }
}

/**
 * Returns true if a new row has no value of its own for a column: it has no other name in the source than its key, or
 * another column says how it is named there.
 */
function isOfKey({ key, columns }: TablePlan, column: ColumnPlan, value: string | null): boolean {
  if (value === null) return column.field === "$name";
  const others = columns.filter(({ field, target }) => field === column.field && target !== column.target);
  return column.makesKey && key.includes(column.target.name) && others.length > 0;
}

function reasonOf({ field }: ColumnPlan): string {
  if (field === "(constant)") return "the map fills it with a constant";
  if (field.startsWith("$")) return `the map reads it from ${field}`;
  return `no value of the field ${field} gives it, or another column reads the same field`;
}

/** Lists the objects of a document that have the array of an entry. */
function ownersOf(document: Document, each: string): Owner[] {
  const paths = each.split("[].").map((path) => path.split("."));
  const last = paths.pop() ?? [];
  const { row } = document;
  if (!(row.value instanceof Map)) return [];
  let owners: Owner[] = [{ document, context: row, node: row.value, path: paths[0] ?? last }];
  for (const [level] of paths.entries()) {
    const path = paths[level + 1] ?? last;
    owners = owners.flatMap((owner) =>
      arrayOf(owner).flatMap((node, index) => {
        const context = { parent: owner.context, index: index + 1, value: node };
        return node instanceof Map ? [{ document, context, node, path }] : [];
      }),
    );
  }
  return owners;
}

function arrayOf({ node, path }: Owner): Value[] {
  const value = getAt(node, path);
  return Array.isArray(value) ? value : [];
}

function getAt(object: Map<string, Value>, path: readonly string[]): Value {
  let value: Value = object;
  for (const name of path) value = value instanceof Map ? value.get(name) : undefined;
  return value;
}

/** Sets a member by its path; undefined removes it. Returns false if something else than an object is in the way. */
function setAt(object: Map<string, Value>, path: readonly string[], value: Value): boolean {
  let inner = object;
  for (const name of path.slice(0, -1)) {
    const next = inner.get(name);
    if (next instanceof Map) inner = next;
    else if (value === undefined) return true;
    else if (next === undefined || next === null) {
      const made = new Map<string, Value>();
      inner.set(name, made);
      inner = made;
    } else return false;
  }
  const name = path.at(-1) ?? "";
  if (value === undefined) inner.delete(name);
  else inner.set(name, value);
  return true;
}
