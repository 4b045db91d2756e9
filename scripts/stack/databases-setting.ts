import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, isScalar, isSeq, parseDocument } from "yaml";
import { unlessAbsent } from "../core/absent.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { OperationError } from "../core/operation-error.ts";

const projectFile = "Pulumi.yaml";

/** Settings file of this project directory only. Git ignores it. */
const localFile = "Pulumi.local.yaml";

/** Paths of a list in a settings file. A new list is written to the first one. */
const places = {
  project: (name: string) => [
    ["config", name, "value"],
    ["config", name, "default"],
    ["config", name],
    ["config", `pgroundwork:${name}`],
  ],
  stack: (name: string) => [
    ["config", `pgroundwork:${name}`],
    ["config", name],
  ],
};

/** Result of an edit of the settings files. */
export interface SettingsEdit {
  /** Files that were changed. */
  changed: string[];
  /** Further information for the user, one sentence each. */
  notes: string[];
}

/**
 * Adds a database to the lists that the local stack reads. The list in Pulumi.yaml is shared with other users and CI.
 * The project directory's own list, if it exists, takes precedence here. Everything else in the files is kept,
 * including comments.
 *
 * @returns the files that list the database, and those of them that were changed
 * @throws OperationError if a settings file is not valid YAML, with nothing changed
 */
export async function declareDatabase(root: string, database: string): Promise<{ files: string[]; changed: string[] }> {
  const settings = await readSettings(root);
  const files: string[] = [];
  for (const file of settings.filter(({ name }) => name === projectFile || name === localFile)) {
    const list = file.list("databases");
    if (list === undefined && file.name === localFile) continue;
    files.push(file.name);
    if (list?.includes(database) !== true) file.set("databases", [...(list ?? []), database]);
  }
  return { files, changed: writeChanged(root, settings) };
}

/**
 * Removes databases from the lists of all stacks. A list that becomes empty is removed, so that its stack uses the list
 * in Pulumi.yaml. Seed sets that no remaining database of a stack has are removed, too.
 *
 * @param removed the seed sets of the removed databases, by database
 * @param setsOf the seed sets of every remaining database
 * @throws OperationError if a settings file is not valid YAML, with nothing changed
 */
export async function undeclareDatabases(
  root: string,
  removed: Readonly<Record<string, readonly string[]>>,
  setsOf: Readonly<Record<string, readonly string[]>>,
): Promise<SettingsEdit> {
  const settings = await readSettings(root);
  const notes: string[] = [];
  for (const file of settings) {
    const list = file.list("databases");
    const kept = list?.filter((name) => !Object.hasOwn(removed, name));
    if (list === undefined || kept === undefined || kept.length === list.length) continue;
    file.set("databases", kept.length === 0 ? undefined : kept);
    if (kept.length > 0) continue;
    const project = settings.find(({ name }) => name === projectFile)?.list("databases") ?? [];
    notes.push(
      file.name === projectFile
        ? `${file.name} lists no databases any more. To add one: \`npm run pgw -- database new NAME\``
        : `${file.name} has no list of databases any more. Its stack has the databases of ${projectFile}${project.length > 0 ? ` (${project.filter((name) => !Object.hasOwn(removed, name)).join(", ")})` : ""}.`,
    );
  }
  notes.push(...dropSeedSets(settings, new Set(Object.values(removed).flat()), setsOf));
  return { changed: writeChanged(root, settings), notes };
}

/**
 * Renames a database in the lists of all stacks. Its position stays the same.
 *
 * @throws OperationError if a settings file is not valid YAML, with nothing changed
 */
export async function redeclareDatabase(root: string, from: string, to: string): Promise<string[]> {
  const settings = await readSettings(root);
  for (const file of settings) {
    const list = file.list("databases");
    if (list?.includes(from) === true)
      file.set(
        "databases",
        list.map((name) => (name === from ? to : name)),
      );
  }
  return writeChanged(root, settings);
}

/** Returns true if the list of a stack or of the project has a database. */
export async function declaresDatabase(root: string, database: string): Promise<boolean> {
  return (await readSettings(root)).some((file) => file.list("databases")?.includes(database) === true);
}

/** Reads every settings file, so that one that cannot be edited is reported before anything changes. */
export async function requireEditableSettings(root: string): Promise<void> {
  await readSettings(root);
}

/**
 * Removes the seed sets of removed databases, unless another database of the stacks that read the list has them.
 *
 * @returns a note for each changed file
 */
function dropSeedSets(
  settings: readonly SettingsFile[],
  candidates: ReadonlySet<string>,
  setsOf: Readonly<Record<string, readonly string[]>>,
): string[] {
  const notes: string[] = [];
  const project = settings.find(({ name }) => name === projectFile);
  const databasesOf = (file: SettingsFile) => file.list("databases") ?? project?.list("databases") ?? [];
  const stacks = settings.filter(({ name }) => name !== projectFile);
  for (const file of settings) {
    const seeds = file.list("seeds");
    if (seeds === undefined) continue;
    // Stacks without a list of their own read the project's list.
    const readers = file === project ? [file, ...stacks.filter((each) => each.list("seeds") === undefined)] : [file];
    const known = new Set(readers.flatMap(databasesOf).flatMap((name) => setsOf[name] ?? []));
    const kept = seeds.filter((set) => !candidates.has(set) || known.has(set));
    if (kept.length === seeds.length) continue;
    file.set("seeds", kept);
    const dropped = seeds.filter((set) => !kept.includes(set)).join(", ");
    notes.push(`${file.name} loses the seed sets that no other database has: ${dropped}`);
  }
  return notes;
}

/** A settings file that is being edited. */
class SettingsFile {
  readonly name: string;
  readonly #document: Document;
  isChanged = false;

  constructor(name: string, document: Document) {
    this.name = name;
    this.#document = document;
  }

  /**
   * Returns the list in a setting, written as YAML or as the JSON text of `pulumi config set`. Returns undefined if
   * there is none.
   */
  list(setting: string): string[] | undefined {
    const path = this.#pathOf(setting);
    const node: unknown = path === undefined ? undefined : this.#document.getIn(path, true);
    if (isSeq(node)) return (node.toJSON() as unknown[]).map(String);
    return isScalar(node) ? jsonList(node.value) : undefined;
  }

  /** Replaces the list. Undefined removes the setting, and `config:` if it becomes empty. */
  set(setting: string, values: readonly string[] | undefined): void {
    this.isChanged = true;
    const path = this.#pathOf(setting) ?? this.#places(setting)[0] ?? [];
    if (values === undefined) {
      this.#remove(path);
      return;
    }
    const node: unknown = this.#document.getIn(path, true);
    if (isScalar(node) && typeof node.value === "string") node.value = JSON.stringify(values);
    else if (isSeq(node)) {
      const before = (node.toJSON() as unknown[]).map(String);
      const items = values.map((value, index) => {
        const same = before[index] === value ? index : before.indexOf(value);
        return same < 0 ? this.#document.createNode(value) : node.items[same];
      });
      node.items.splice(0, node.items.length, ...items);
    } else this.#document.setIn(path, this.#document.createNode(values, { flow: true }));
  }

  toString(): string {
    // Keeps the length of the file's lines and the style of its lists.
    const text = this.#document.toString({ lineWidth: 0, flowCollectionPadding: false });
    return text.trim() === "{}" || text.trim() === "null" ? "{}\n" : text;
  }

  #remove(path: readonly string[]): void {
    // `databases: { value: […] }` is removed completely.
    const [config = "config", setting = ""] = path;
    this.#document.deleteIn([config, setting]);
    const rest: unknown = this.#document.get(config);
    if ((rest as { items?: unknown[] } | undefined)?.items?.length === 0) this.#document.delete(config);
  }

  #pathOf(setting: string): string[] | undefined {
    return this.#places(setting).find((path) => {
      const node: unknown = hasPath(this.#document, path) ? this.#document.getIn(path, true) : undefined;
      return isSeq(node) || (isScalar(node) && jsonList(node.value) !== undefined);
    });
  }

  #places(setting: string): string[][] {
    return this.name === projectFile ? places.project(setting) : places.stack(setting);
  }
}

function hasPath(document: Document, path: readonly string[]): boolean {
  try {
    return document.hasIn(path);
  } catch {
    // A scalar stands where a mapping is expected.
    return false;
  }
}

function jsonList(value: unknown): string[] | undefined {
  if (typeof value !== "string" || !value.trim().startsWith("[")) return undefined;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list.map(String) : undefined;
  } catch {
    return undefined;
  }
}

async function readSettings(root: string): Promise<SettingsFile[]> {
  const names = (await readdir(root)).filter((name) => /^Pulumi\.(.+\.)?yaml$/.test(name)).sort();
  const files: SettingsFile[] = [];
  for (const name of names) {
    const text = await unlessAbsent(readFile(join(root, name), "utf8"));
    if (text === undefined) continue;
    const document = parseDocument(text);
    const [fault] = document.errors;
    if (fault !== undefined)
      throw new OperationError(`${join(root, name)} is not valid YAML: ${fault.message.split("\n")[0]}`, {
        hint: `Correct ${name}. Nothing was changed.`,
      });
    files.push(new SettingsFile(name, document));
  }
  return files;
}

function writeChanged(root: string, files: readonly SettingsFile[]): string[] {
  const changed = files.filter(({ isChanged }) => isChanged);
  // Written atomically, because a half-written settings file breaks every command.
  for (const file of changed) writeFileAtomically(join(root, file.name), file.toString());
  return changed.map(({ name }) => name);
}
