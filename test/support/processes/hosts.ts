import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { compileCacheFolder } from "../../../scripts/pulumi/cache-folder.mjs";
import { cloneRoot } from "../../clone-root.ts";

/** Sockets of the processes that do the work of a project's provider plugins, of its program and of its commands. */
export interface Hosts {
  readonly plugins: string;
  readonly program: string;
  readonly commands: string;
}

/**
 * Starts the hosts of a project unless they run already. They serve every later test that has a project at this path,
 * until {@link stopHosts}.
 *
 * @param folder folder that contains the project
 */
export async function ensureHosts(folder: string, project: string): Promise<Hosts> {
  const name = `${folder}.${basename(project).replaceAll(/\W/g, "-")}`;
  const home = join(folder, "home");
  const [plugins, program] = await Promise.all([
    ensureHost(`${name}.plugin-host`, "plugin-host.ts", project, home),
    ensureHost(`${name}.program-host`, "program-host.ts", project, home),
  ]);
  const commands = await ensureHost(`${name}.command-host`, "command-host.ts", project, home, plugins);
  return { plugins, program, commands };
}

async function ensureHost(
  socket: string,
  file: string,
  project: string,
  home: string,
  ...more: string[]
): Promise<string> {
  if (existsSync(`${socket}.pid`)) return socket;
  const log = await open(`${socket}.log`, "a");
  const node = join(cloneRoot, "node_modules", ".bin", "node");
  const child = spawn(node, [fileURLToPath(new URL(file, import.meta.url)), project, socket, ...more], {
    cwd: "/",
    // Node.js and the operating system do not see the variables of single requests.
    env: { ...process.env, HOME: home, NODE_COMPILE_CACHE: compileCacheFolder(process.env) },
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  child.unref();
  await writeFile(`${socket}.pid`, String(child.pid));
  await log.close();
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`${file} ended: see ${socket}.log`);
    await sleep(10);
  }
  return socket;
}

/** Kills the hosts of the projects in a folder, or in one of the folders in it. */
export async function stopHosts(folder: string): Promise<void> {
  const own = await hostFiles(dirname(folder), `${basename(folder)}.`);
  for (const socket of [...own, ...(await hostFiles(folder))]) {
    end(Number(await readFile(`${socket}.pid`, "utf8")));
    await rm(`${socket}.pid`);
    await rm(socket, { force: true });
  }
}

/** Lists the sockets of hosts in a folder. */
async function hostFiles(folder: string, prefix = ""): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name.endsWith("-host.pid"));
  return names.map((name) => join(folder, name.slice(0, -".pid".length)));
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
