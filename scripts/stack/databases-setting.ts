import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, isSeq, parseDocument, type YAMLSeq } from "yaml";
import { unlessAbsent } from "../files/absent.ts";

/** Where a list of databases stands in a settings file: a stack's own, and the project's default. */
const ofStack = ["config", "pgroundwork:databases"];
const ofProject = ["config", "databases", "value"];

/**
 * Puts a database's name at the end of the list of databases that the local stack has: its own where it has one, else the default. What else
 * stands in the file, comments included, stays.
 *
 * @param root the clone
 * @returns the file's name, and whether the name was new to its list; undefined where no file has a list that can be added to
 */
export async function declareDatabase(
  root: string,
  database: string,
): Promise<{ file: string; added: boolean } | undefined> {
  for (const file of ["Pulumi.local.yaml", "Pulumi.yaml"]) {
    const setting = await readSetting(root, file);
    if (setting === undefined) continue;
    const { document, list } = setting;
    if (names(list).includes(database)) return { file, added: false };
    list.add(document.createNode(database));
    await replaceFile(join(root, file), render(document));
    return { file, added: true };
  }
  return undefined;
}

/**
 * Takes a database's name out of the lists of all stacks.
 *
 * @param root the clone
 * @returns names of the files that had it
 */
export async function undeclareDatabase(root: string, database: string): Promise<string[]> {
  const files = (await readdir(root)).filter((name) => /^Pulumi\.(.+\.)?yaml$/.test(name)).sort();
  const changed: string[] = [];
  for (const file of files) {
    const setting = await readSetting(root, file);
    const index = setting === undefined ? -1 : names(setting.list).indexOf(database);
    if (setting === undefined || index < 0) continue;
    setting.list.delete(index);
    await replaceFile(join(root, file), render(setting.document));
    changed.push(file);
  }
  return changed;
}

async function readSetting(root: string, file: string): Promise<{ document: Document; list: YAMLSeq } | undefined> {
  const text = await unlessAbsent(readFile(join(root, file), "utf8"));
  if (text === undefined) return undefined;
  const document = parseDocument(text);
  const list = document.errors.length > 0 ? undefined : document.getIn(file === "Pulumi.yaml" ? ofProject : ofStack);
  return isSeq(list) ? { document, list } : undefined;
}

function names(list: YAMLSeq): unknown[] {
  return list.toJSON() as unknown[];
}

function render(document: Document): string {
  // The file's own lines stay as long as they are, and its lists as they were written.
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** As a whole or not at all: a half-written settings file stops every command. */
async function replaceFile(path: string, text: string): Promise<void> {
  const staging = `${path}.${randomUUID()}`;
  try {
    await writeFile(staging, text);
    await rename(staging, path);
  } finally {
    await rm(staging, { force: true });
  }
}
