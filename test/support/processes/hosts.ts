import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cloneRoot } from "../../clone-root.ts";

/** Sockets of the processes that do the work of a project's provider plugins and of its program. */
export interface Hosts {
  readonly plugins: string;
  readonly program: string;
}

/**
 * Starts the hosts of a project unless they run already. They serve every later test that uses the project's folder,
 * until {@link stopHosts}. Until a host listens, each plugin or program runs as a process of its own.
 *
 * @param name path that no other project has
 */
export async function ensureHosts(name: string, project: string): Promise<Hosts> {
  return {
    plugins: await ensureHost(`${name}.plugin-host`, "plugin-host.ts", project),
    program: await ensureHost(`${name}.program-host`, "program-host.ts", project),
  };
}

async function ensureHost(socket: string, file: string, project: string): Promise<string> {
  if (existsSync(`${socket}.pid`)) return socket;
  const log = await open(`${socket}.log`, "a");
  const node = join(cloneRoot, "node_modules", ".bin", "node");
  const child = spawn(node, [fileURLToPath(new URL(file, import.meta.url)), project, socket], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  child.unref();
  await writeFile(`${socket}.pid`, String(child.pid));
  await log.close();
  return socket;
}

/** Kills the hosts that have their files in a folder. */
export async function stopHosts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith("-host.pid")) end(Number(await readFile(join(folder, name), "utf8")));
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
