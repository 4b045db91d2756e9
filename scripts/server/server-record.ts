import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { isAbsent, unlessAbsent } from "../core/absent.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { isSameDirectory } from "../core/same-directory.ts";

/** Owner of a server. */
export interface ServerOwner {
  /** Project directory that brought it up last. */
  clone: string;
  project: string;
  stack: string;
  /** Name of the server in the stack. Omit for the one server of the kit's own program. */
  server?: string | undefined;
}

/** Record in a server's folder. It exists independently of the stack's state. */
export interface ServerRecord extends ServerOwner {
  /** Data directory of the server. */
  dataDirectory: string;
  /** Time of the folder's first record, ISO 8601. */
  createdAt: string;
  /** Version of the kit that brought it up last. */
  kitVersion: string;
  /** Set if there was no data when the record was written. */
  withoutData?: true;
}

const fileName = "server.json";

/**
 * Writes the record of a server's folder. The creation time of an existing record is kept.
 *
 * @param hasData true if the data directory has a cluster
 */
export async function recordServer(
  folder: string,
  owner: ServerOwner,
  dataDirectory: string,
  hasData = true,
): Promise<void> {
  const { clone, project, stack, server } = owner;
  const former = await readServerRecord(folder);
  const named = server === undefined ? {} : { server };
  // A path of a bind mount may be gone later, although the directory is still there.
  const isSame = former !== undefined && (await isSameDirectory(former.clone, clone));
  const kept = {
    clone: isSame ? former.clone : clone,
    project,
    stack,
    ...named,
    dataDirectory,
    kitVersion: packageJson.version,
  };
  const createdAt = former?.createdAt ?? new Date().toISOString();
  const record: ServerRecord = { ...kept, createdAt, ...(hasData ? {} : { withoutData: true }) };
  writeFileAtomically(join(folder, fileName), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o644 });
}

/**
 * Reads the record of a server's folder. Returns undefined if there is none, or if it is invalid and the owner stays
 * unknown.
 */
export async function readServerRecord(folder: string): Promise<ServerRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(join(folder, fileName), "utf8"));
    return isRecord(record) ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isAbsent(error)) return undefined;
    throw error;
  }
}

/** Lists the folders of all servers below a data home. */
export async function serverFolders(home: string): Promise<string[]> {
  const servers = join(home, "servers");
  const entries = (await unlessAbsent(readdir(servers, { withFileTypes: true }))) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(servers, name));
}

/** Returns true if project directory, project, stack and server are the same. */
export function isSameOwner(one: ServerOwner, other: ServerOwner): boolean {
  return isSameStack(one, other) && one.server === other.server;
}

/** Returns true if project directory, project and stack are the same. A stack can have several servers. */
export function isSameStack(one: ServerOwner, other: ServerOwner): boolean {
  return one.clone === other.clone && one.project === other.project && one.stack === other.stack;
}

/**
 * Returns true if a project directory was deleted or moved. One that cannot be read counts as existing, so that its
 * server is not treated as ownerless.
 */
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
