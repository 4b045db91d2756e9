import { serverDirectory, serverFolder } from "../../server/locations.ts";
import {
  isSameStack,
  readServerRecord,
  type ServerOwner,
  type ServerRecord,
  serverFolders,
} from "../../server/server-record.ts";
import type { LeftoverContext } from "./leftover.ts";

/** A server's folder in the data home, with its record. */
export interface KnownServer {
  folder: string;
  /** undefined if a version of the kit without records created it. */
  record: ServerRecord | undefined;
  dataDirectory: string;
}

/** Lists all servers of the data home, of any owner. */
export async function allServers(home: string): Promise<KnownServer[]> {
  const folders = await serverFolders(home);
  return Promise.all(
    folders.map(async (folder) => {
      const record = await readServerRecord(folder);
      return { folder, record, dataDirectory: record?.dataDirectory ?? serverDirectory(folder).data };
    }),
  );
}

/** Returns the recovered stack as the owner in server records. */
export function ownerIn({ stack: { root, name } }: LeftoverContext, project: string): ServerOwner {
  return { clone: root, project, stack: name };
}

/** Returns true if a server belongs to the recovered stack, by its record or, without one, by its name. */
export function isOwn(context: LeftoverContext, project: string, { folder, record }: KnownServer): boolean {
  if (record === undefined) return folder === ownFolder(context, project);
  return isSameStack(record, ownerIn(context, project));
}

/** Returns the folder in which `up` creates the server of the recovered stack. */
export function ownFolder({ home, stack: { root, name } }: LeftoverContext, project: string): string {
  return serverFolder(home, root, project, name);
}
