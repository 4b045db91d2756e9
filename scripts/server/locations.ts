import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where one embedded server keeps what belongs to it. */
export interface ServerDirectory {
  /** PostgreSQL's data directory (`PGDATA`). */
  data: string;
  /** The server's log files, one a weekday, and what it said before its log was open. */
  log: string;
}

/** Where a server keeps what it has. */
export interface ServerPlace {
  /** The server's own folder: its log, and by default its data. */
  folder: string;
  dataDirectory: string;
}

/**
 * The folder below which servers and their binaries live: `$XDG_DATA_HOME/pgroundwork`, by default `~/.local/share/pgroundwork`.
 * It is outside the clone, so that `git clean` or a deleted clone never takes a database along.
 *
 * As root it is `/var/lib/pgroundwork`: PostgreSQL then runs as another account, which may enter neither root's home nor, often, the clone.
 */
export function dataHome(env: NodeJS.ProcessEnv, uid: number | undefined): string {
  if (env.XDG_DATA_HOME) return join(env.XDG_DATA_HOME, "pgroundwork");
  if (uid === 0) return "/var/lib/pgroundwork";
  return join(env.HOME || homedir(), ".local", "share", "pgroundwork");
}

/** The folder of a stack's server. The clone's path is part of the name, so that two clones never share a server by accident. */
export function serverFolder(home: string, cloneRoot: string, project: string, stack: string): string {
  const clone = createHash("sha256").update(cloneRoot).digest("hex").slice(0, 8);
  return join(home, "servers", `${project}-${stack}-${clone}`);
}

export function serverDirectory(folder: string): ServerDirectory {
  return { data: join(folder, "data"), log: join(folder, "log") };
}
