import type { Source } from "../source/source.ts";
import { isExtendedDate, plainValue } from "../values/extended-json.ts";
import { Problem, type Value } from "../values/value.ts";
import { ColumnProfile } from "./profile.ts";

/** Fields of a collection, and of the arrays in its rows. */
export interface SourceFields {
  /** Collection of the source. */
  from: string;
  /** Path of an array in each row, as a map has it. Undefined for the rows themselves. */
  each: string | undefined;
  rows: number;
  /** Profiles by path. `$name` is the name of a row in an object. */
  fields: Map<string, ColumnProfile>;
  /** Arrays of objects by their path. */
  children: Map<string, SourceFields>;
  /** Names of fields of the rows that no path can name, up to a limit. */
  unreadable: Set<string>;
  /** True if there were more paths than are listed. */
  isCut: boolean;
}

const mostPaths = 1_000;
const mostUnreadable = 20;
const deepestPath = 3;

/** Most bytes of a file that is read as one document, which is held in memory. */
const mostDocumentBytes = 16 << 20;

/** Returns true if the file of a collection can be held in memory. */
export function isSmallFile({ files }: Source, collection: string): boolean {
  const file = files.find(({ path }) => path.replace(/\.[^.]+$/, "").endsWith(collection));
  return file !== undefined && file.bytes <= mostDocumentBytes;
}

/** Files, or folders instead of the files in them. */
export function outerCollections({ collections }: Source): string[] {
  const names = collections.map(({ name }) => name);
  const folders = names.filter((name) => name.endsWith("/*")).map((name) => name.slice(0, -1));
  const isInFolder = (name: string) =>
    folders.some(
      (folder) => name.startsWith(folder) && !name.slice(folder.length).includes("/") && !name.endsWith("/*"),
    );
  const files = names.filter((name) => !isInFolder(name));
  return files.filter((name) => !files.some((other) => name.startsWith(`${other}.`)));
}

/** Members of a file that are containers. */
export function innerCollections({ collections }: Source, file: string): string[] {
  return collections
    .map(({ name }) => name)
    .filter((name) => name.startsWith(`${file}.`) && !name.slice(file.length + 1).includes("."));
}

/** Returns fields without rows. */
export function noFields(from: string, each?: string): SourceFields {
  return { from, each, rows: 0, fields: new Map(), children: new Map(), unreadable: new Set(), isCut: false };
}

/** Reads all rows of a collection of documents. Rows that cannot be read are left to the import, which rejects them. */
export async function readDocumentFields(
  source: Source,
  from: string,
  onProgress: (rows: number) => void,
  signal?: AbortSignal,
): Promise<SourceFields> {
  const result = noFields(from);
  const entry = { to: "", from, columns: {} };
  const fields = source.fields(entry);
  if ("fault" in fields) return result;
  const [whole, name] = ["$value", "$name"].map((field) => fields.read(field));
  for await (const rows of source.rows(entry, { signal })) {
    for (const { row, ordinal } of rows) {
      if (row instanceof Problem) continue;
      const value = whole?.(row);
      addRow(result, value, name?.(row), ordinal);
    }
    onProgress(rows.at(-1)?.ordinal ?? 0);
  }
  return result;
}

function addRow(into: SourceFields, value: Value, name: Value, row: number): void {
  into.rows++;
  if (name !== undefined) profileOf(into, "$name")?.add(name, row);
  const plain = plainValue(value);
  if (plain instanceof Map) addMembers(into, plain, "", row, 0);
  else profileOf(into, "$value")?.add(plain, row);
}

function addMembers(into: SourceFields, object: Map<string, Value>, prefix: string, row: number, depth: number): void {
  for (const [name, given] of object) {
    // A path cannot name it.
    if (name === "" || name.includes(".") || name.startsWith("$")) {
      if (depth === 0 && into.unreadable.size < mostUnreadable) into.unreadable.add(name);
      into.isCut = true;
      continue;
    }
    const path = prefix + name;
    const value = plainValue(given);
    const profile = profileOf(into, path);
    profile?.add(value, row);
    if (profile !== undefined && isExtendedDate(given)) profile.dates++;
    if (value instanceof Map) {
      if (depth < deepestPath) addMembers(into, value, `${path}.`, row, depth + 1);
    } else if (Array.isArray(value)) addElements(into, path, value, row);
  }
}

function addElements(into: SourceFields, path: string, elements: readonly Value[], row: number): void {
  for (const element of elements) {
    if (!(element instanceof Map)) continue;
    let child = into.children.get(path);
    if (child === undefined) {
      child = noFields(into.from, into.each === undefined ? path : `${into.each}[].${path}`);
      into.children.set(path, child);
    }
    addRow(child, element, undefined, row);
  }
}

function profileOf(into: SourceFields, path: string): ColumnProfile | undefined {
  let profile = into.fields.get(path);
  if (profile !== undefined) return profile;
  if (into.fields.size >= mostPaths) {
    into.isCut = true;
    return undefined;
  }
  profile = new ColumnProfile();
  into.fields.set(path, profile);
  return profile;
}
