import { constants, isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { unlessAbsent } from "../../../core/absent.ts";
import { OperationError } from "../../../core/operation-error.ts";
import { JsonProblem, parseJson } from "../../values/json-parser.ts";
import { shown } from "../../values/shown.ts";
import { Problem, type Value } from "../../values/value.ts";
import {
  batchRows,
  type Collection,
  fingerprintDigits,
  type ReadOptions,
  type Source,
  type SourceFile,
  type SourceRow,
  sha256OfFiles,
} from "../source.ts";
import { describeChange } from "../sqlite/snapshot.ts";
import { type Element, JsonScanner, type Shape } from "./scanner.ts";

const ending = /\.(json|ndjson|jsonl)$/i;

/** A file of the source, with the collections in it. */
export interface JsonFile extends SourceFile {
  /** Path relative to the source, without its ending. */
  name: string;
  shape: Shape;
  topRows: number;
}

/** A row: a value, with the names that lead to it. */
export interface JsonRow {
  value: Value;
  /** Name of the member if the container is an object. */
  name: string | undefined;
  /** Name of the file without its ending. */
  file: string;
  /** From 1, in the collection. */
  position: bigint;
}

/** An opened file or folder of JSON. */
export interface JsonSource extends Source {
  /** Returns the containers whose elements are the rows of a collection, in their order. */
  partsOf(collection: string): Part[];
}

/**
 * Opens a JSON file, or a folder of them, and checks the structure of all files.
 *
 * @throws OperationError if a file is empty, truncated or no JSON
 */
export async function openJson(path: string): Promise<JsonSource> {
  const absolute = resolve(path);
  const files: JsonFile[] = [];
  for (const each of await listFiles(absolute)) files.push(await inspect(each, absolute));
  const collections = collectionsOf(files);
  return {
    kind: "json",
    partsOf: (collection) => find(files, collection),
    path: absolute,
    files: files.map(({ path: file, bytes, sha256 }) => ({ path: file, bytes, sha256 })),
    copies: files.map(({ path: file }) => ({ path: file, name: relative(absolute, file) || basename(file) })),
    sha256: sha256OfFiles(files, (file) => relative(absolute, file)),
    collections,
    notImported: [],
    lastNumbers: new Map(),
    declaredSchema: () => undefined,
    fields: (entry) => {
      if (entry.query !== undefined) return { fault: "a query needs a SQLite source" };
      const parts = find(files, entry.from);
      if (parts.length === 0) {
        const known = collections.slice(0, 20).map(({ name }) => shown(name));
        return { fault: `the source has no collection "${entry.from}"; it has: ${known.join(", ")}` };
      }
      return { names: "any", read: (name) => (row) => fieldOf(row as JsonRow, name) };
    },
    rows: (entry, options) => readRows(find(files, entry.from), options),
    fingerprints: (entry, signal) => readFingerprints(find(files, entry.from), signal),
    describe: (_, row) => {
      const { value, name } = row as JsonRow;
      const fields = value instanceof Map ? Object.fromEntries(value) : { $value: value };
      return name === undefined ? fields : { $name: name, ...fields };
    },
    changedSince: () => describeChange(files),
    close: async () => {},
  };
}

async function listFiles(path: string): Promise<string[]> {
  const found = await unlessAbsent(stat(path));
  if (found === undefined) throw new OperationError(`${path} does not exist.`, { hint: "Correct the path." });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  if (files.length > 0) return files.sort((a, b) => (a < b ? -1 : 1));
  throw new OperationError(`${path} has no file that ends in .json, .ndjson or .jsonl.`, {
    hint: "Correct the path.",
  });
}

/** Reads a file once: its hash, its structure, and the containers in it. */
async function inspect(path: string, source: string): Promise<JsonFile> {
  const name = (path === source ? basename(path) : relative(source, path)).replace(ending, "");
  const hash = createHash("sha256");
  const scanner = new JsonScanner(path, []);
  let bytes = 0;
  for await (const chunk of chunksOf(path)) {
    hash.update(chunk.whole);
    scanner.push(chunk.text);
    bytes += chunk.whole.length;
  }
  if (bytes === 0)
    throw new OperationError(`${path} is empty.`, {
      hint: "An empty file holds no data; remove it, or write [] into it.",
    });
  scanner.end();
  const top = scanner.shape.containers.get("");
  const topRows = scanner.topIsArray ? (top?.rows ?? 0) : scanner.topValues;
  return { path, bytes, sha256: hash.digest("hex"), name, shape: scanner.shape, topRows };
}

/** Reads a file in parts. A byte order mark is no part of the text; UTF-16 is refused. */
export async function* chunksOf(path: string): AsyncIterable<{ whole: Buffer; text: Buffer }> {
  let first = true;
  for await (const whole of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    const isMarked = first && whole.subarray(0, 3).toString("hex") === "efbbbf";
    if (first && /^(fffe|feff)/.test(whole.subarray(0, 2).toString("hex")))
      throw new OperationError(`${path} is UTF-16.`, { hint: "Save it as UTF-8. Nothing was imported." });
    first = false;
    yield { whole, text: isMarked ? whole.subarray(3) : whole };
  }
}

/** Lists the collections: files, containers in them, and folders. */
function collectionsOf(files: readonly JsonFile[]): Collection[] {
  const collections = files.flatMap(({ name, shape, topRows }) => [
    { name, columns: [], rows: topRows },
    ...[...shape.containers]
      .filter(([path]) => path !== "")
      .map(([path, { rows }]) => ({ name: `${name}.${path}`, columns: [], rows })),
  ]);
  const folders = new Map<string, number>();
  for (const { name, topRows } of files) {
    const folder = folderOf(name);
    if (folder !== "") folders.set(folder, (folders.get(folder) ?? 0) + topRows);
  }
  return [...collections, ...[...folders].map(([folder, rows]) => ({ name: `${folder}/*`, columns: [], rows }))];
}

function folderOf(name: string): string {
  return name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : "";
}

/** A container in a file. */
export interface Part {
  file: JsonFile;
  path: string[];
}

/** Finds what a name means: `file`, `file.member.member`, or `folder/*` for all files of a folder. */
function find(files: readonly JsonFile[], name: string): Part[] {
  if (name.endsWith("/*"))
    return files.filter((file) => folderOf(file.name) === name.slice(0, -2)).map((file) => ({ file, path: [] }));
  for (const file of files) {
    if (file.name === name) return [{ file, path: [] }];
    const path = name.slice(file.name.length + 1);
    if (!name.startsWith(`${file.name}.`)) continue;
    if (file.shape.containers.has(path) || file.shape.isCut) return [{ file, path: path.split(".") }];
  }
  return [];
}

function fieldOf({ value, name, file, position }: JsonRow, field: string): Value {
  if (field === "$name") return name;
  if (field === "$file") return file;
  if (field === "$value") return value;
  if (field === "$position") return position;
  return value instanceof Map ? value.get(field) : undefined;
}

async function* readRows(
  parts: readonly Part[],
  { signal, isWanted, fingerprints = false }: ReadOptions = {},
): AsyncIterable<SourceRow[]> {
  let ordinal = 0;
  yield* readElements(parts, signal, (element, file): SourceRow | undefined => {
    ordinal++;
    if (isWanted?.(ordinal) === false) return undefined;
    return {
      ordinal,
      row: rowOf(element, file, BigInt(ordinal)),
      place: `${basename(file.path)} line ${element.line}, byte ${element.offset}`,
      ...(fingerprints ? { fingerprint: fingerprintOf(element, file) } : {}),
    };
  });
}

/** Reads fingerprints, without parsing the elements. */
function readFingerprints(parts: readonly Part[], signal?: AbortSignal): AsyncIterable<string[]> {
  return readElements(parts, signal, fingerprintOf);
}

/** Returns the hash of an element's name and bytes, and of the name of its file. */
function fingerprintOf({ bytes, name }: Element, file: JsonFile): string {
  const hash = createHash("sha256").update(JSON.stringify([basename(file.name), name ?? null]));
  return hash.update(bytes).digest("hex").slice(0, fingerprintDigits);
}

/** Reads the elements of containers, and gives what is made of them, in parts. `undefined` is left out. */
async function* readElements<T>(
  parts: readonly Part[],
  signal: AbortSignal | undefined,
  make: (element: Element, file: JsonFile) => T | undefined,
): AsyncIterable<T[]> {
  for (const part of parts) {
    try {
      yield* elementsOf(part, signal, make);
    } catch (error) {
      signal?.throwIfAborted();
      // It was read completely before, so its structure was in order.
      const changed = await describeChange([part.file]);
      if (changed === undefined) throw error;
      throw new OperationError(`${changed} while it was imported.`, {
        hint: "Import it again. `import list` shows whether this import has loaded rows, and `import rollback` removes them.",
        cause: error,
      });
    }
  }
}

async function* elementsOf<T>(
  { file, path }: Part,
  signal: AbortSignal | undefined,
  make: (element: Element, file: JsonFile) => T | undefined,
): AsyncIterable<T[]> {
  let made: T[] = [];
  const scanner = new JsonScanner(file.path, path, (element) => {
    const each = make(element, file);
    if (each !== undefined) made.push(each);
  });
  for await (const { text } of chunksOf(file.path)) {
    // Elements are parsed while their part of the file is read, so a small part bounds the memory.
    for (let at = 0; at < text.length; at += partBytes) {
      signal?.throwIfAborted();
      scanner.push(text.subarray(at, at + partBytes));
      if (made.length < batchRows) continue;
      yield made;
      made = [];
    }
  }
  scanner.end();
  if (made.length > 0) yield made;
}

const partBytes = 1 << 17;

/** Parses an element. A fault rejects this row, with its place in the file. */
export function rowOf(
  { bytes, name, offset, line }: Element,
  { name: fileName }: JsonFile,
  position: bigint,
): JsonRow | Problem {
  if (bytes.length > constants.MAX_STRING_LENGTH)
    return new Problem(`it has ${bytes.length} bytes, which is longer than one row can be`);
  if (!isUtf8(bytes)) return new Problem(`it is not UTF-8: ${bytes.subarray(0, 60).toString("hex")}`);
  const value = parseJson(bytes.toString("utf8"));
  if (!(value instanceof Problem)) return { value, name, file: basename(fileName), position };
  if (!(value instanceof JsonProblem)) return value;
  const where = `line ${line + value.line - 1}, byte ${offset + value.offset}${value.path === "" ? "" : `, path ${shown(value.path)}`}`;
  return new Problem(`${value.reason.replace(/ \(byte \d.*$/s, "")} (${where})`);
}
