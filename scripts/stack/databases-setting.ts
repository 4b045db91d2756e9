import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, isSeq, parseDocument, type YAMLSeq } from "yaml";

/** Where a list of databases may stand in a settings file: a stack's own, and the project's default. */
const places: Readonly<Record<string, readonly string[]>> = {
  "Pulumi.local.yaml": ["config", "pgroundwork:databases"],
  "Pulumi.yaml": ["config", "databases", "value"],
};

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
  for (const [file, place] of Object.entries(places)) {
    const text = await readFile(join(root, file), "utf8").catch(absent);
    if (text === undefined) continue;
    const document = parseDocument(text);
    const list = document.errors.length > 0 ? undefined : document.getIn(place);
    if (!isSeq(list)) continue;
    if (names(list).includes(database)) return { file, added: false };
    list.add(document.createNode(database));
    await replaceFile(join(root, file), render(document));
    return { file, added: true };
  }
  return undefined;
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

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
