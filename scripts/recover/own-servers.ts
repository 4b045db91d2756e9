import { serverDirectory, serverFolder } from "../server/locations.ts";
import {
  isSameOwner,
  readServerRecord,
  type ServerOwner,
  type ServerRecord,
  serverFolders,
} from "../server/server-record.ts";
import type { Scene } from "./finding.ts";

/** A server's folder in the data home, and what is known of it. */
export interface KnownServer {
  folder: string;
  /** undefined: it was made by a version of the kit that kept none. */
  record: ServerRecord | undefined;
  dataDirectory: string;
}

/** Every server of the data home, whoever's it is. */
export async function allServers(home: string): Promise<KnownServer[]> {
  const folders = await serverFolders(home);
  return Promise.all(
    folders.map(async (folder) => {
      const record = await readServerRecord(folder);
      return { folder, record, dataDirectory: record?.dataDirectory ?? serverDirectory(folder).data };
    }),
  );
}

/** The scene's stack, as records name it. */
export function ownerIn({ root, stack }: Scene, project: string): ServerOwner {
  return { clone: root, project, stack };
}

/** Whether a server is that of the scene's stack, by its record or, without one, by its name. */
export function isOwn(scene: Scene, project: string, { folder, record }: KnownServer): boolean {
  if (record === undefined) return folder === ownFolder(scene, project);
  return isSameOwner(record, ownerIn(scene, project));
}

/** Where `up` makes the server of the scene's stack. */
export function ownFolder({ home, root, stack }: Scene, project: string): string {
  return serverFolder(home, root, project, stack);
}
