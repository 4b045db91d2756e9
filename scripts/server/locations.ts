import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";

/** Directories of one embedded server. */
export interface ServerDirectory {
  /** PostgreSQL's data directory (`PGDATA`). */
  data: string;
  /** Folder of the server's log files, one per weekday, and of the log of its start. */
  log: string;
}

/** Locations of a server. */
export interface ServerPlace {
  /** The server's own folder, with its log and by default its data. */
  folder: string;
  dataDirectory: string;
}

/**
 * Returns the folder that contains servers and their binaries: `$XDG_DATA_HOME/pgroundwork`, by default
 * `~/.local/share/pgroundwork`. It is outside the project directory, so that `git clean` or deleting the project
 * directory never deletes a database.
 *
 * For root it is `/var/lib/pgroundwork`. PostgreSQL then runs as another account, which can enter neither root's home
 * nor, often, the project directory.
 */
export function dataHome(env: NodeJS.ProcessEnv, uid: number | undefined): string {
  if (env.XDG_DATA_HOME) return join(env.XDG_DATA_HOME, "pgroundwork");
  if (uid === 0) return "/var/lib/pgroundwork";
  return join(env.HOME || homedir(), ".local", "share", "pgroundwork");
}

/**
 * Returns the folder of a stack's server. Its name depends on the path of the project directory, so that two project
 * directories never share a server by accident.
 *
 * @param server its name, if the stack can have several
 */
export function serverFolder(home: string, cloneRoot: string, project: string, stack: string, server?: string): string {
  const identity = server === undefined ? cloneRoot : JSON.stringify([cloneRoot, stack, server]);
  const hash = createHash("sha256").update(identity).digest("hex").slice(0, 8);
  // The hash tells servers apart whose names differ only in other characters.
  const name = server === undefined ? "" : `-${server.replace(/[^\w.-]/g, "_")}`;
  return join(home, "servers", `${project}-${stack}${name}-${hash}`);
}

/** Returns the default directories below a server's own folder. */
export function serverDirectory(folder: string): ServerDirectory {
  return { data: join(folder, "data"), log: join(folder, "log") };
}
