import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { isAbsent, unlessAbsent } from "../files/absent.ts";

/** Whose server it is. */
export interface ServerOwner {
  /** The clone that brought it up last. */
  clone: string;
  project: string;
  stack: string;
}

/** What a server's folder says of it, whatever became of the stack's state. */
export interface ServerRecord extends ServerOwner {
  /** Where its data is. */
  dataDirectory: string;
  /** When its folder got its record, ISO 8601. */
  createdAt: string;
  /** Version of the kit that brought it up last. */
  kitVersion: string;
  /** There was no data any more, or not yet, when it was written. */
  withoutData?: true;
}

const fileName = "server.json";

/**
 * Writes down whose server a folder is; the time of its making stays.
 *
 * @param hasData whether there is a cluster in the data directory by now
 */
export async function recordServer(
  folder: string,
  owner: ServerOwner,
  dataDirectory: string,
  hasData = true,
): Promise<void> {
  const { clone, project, stack } = owner;
  const former = await readServerRecord(folder);
  const kept = { clone, project, stack, dataDirectory, kitVersion: packageJson.version };
  const createdAt = former?.createdAt ?? new Date().toISOString();
  const record: ServerRecord = { ...kept, createdAt, ...(hasData ? {} : { withoutData: true }) };
  const staging = join(folder, `${fileName}.${randomUUID()}`);
  try {
    await writeFile(staging, `${JSON.stringify(record, null, 2)}\n`);
    await rename(staging, join(folder, fileName));
  } finally {
    await rm(staging, { force: true });
  }
}

/** The record of a server's folder; undefined: it has none, or none that can be read, and whose it is stays unknown. */
export async function readServerRecord(folder: string): Promise<ServerRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(join(folder, fileName), "utf8"));
    return isRecord(record) ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isAbsent(error)) return undefined;
    throw error;
  }
}

/** The folders of all servers below a data home. */
export async function serverFolders(home: string): Promise<string[]> {
  const servers = join(home, "servers");
  const entries = (await unlessAbsent(readdir(servers, { withFileTypes: true }))) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(servers, name));
}

export function isSameOwner(one: ServerOwner, other: ServerOwner): boolean {
  return one.clone === other.clone && one.project === other.project && one.stack === other.stack;
}

/** Whether a clone was deleted or moved. One that cannot be looked at is taken for there: what is its own is not anybody's then. */
export async function isCloneGone(clone: string): Promise<boolean> {
  try {
    await stat(clone);
    return false;
  } catch (error) {
    return isAbsent(error);
  }
}

function isRecord(value: unknown): value is ServerRecord {
  if (typeof value !== "object" || value === null) return false;
  const texts = ["clone", "project", "stack", "dataDirectory", "createdAt", "kitVersion"];
  return texts.every((name) => typeof (value as Record<string, unknown>)[name] === "string");
}
