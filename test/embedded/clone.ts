import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { QueryResultRow } from "pg";
import { inject } from "vitest";
import { stopServer } from "../../scripts/server/embedded.ts";
import { serverDirectory } from "../../scripts/server/locations.ts";
import { withClient } from "../../scripts/target/client.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { connectionOf } from "../printed-url.ts";
import { copyWorkTree } from "../work-tree.ts";

const run = promisify(execFile);

/** How a command ended. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** The kit as a new user has it: a folder of its own, a home of its own, a server of its own. */
export interface Clone {
  readonly root: string;
  /** What its commands run with: nothing in it points at another database or engine. */
  readonly env: NodeJS.ProcessEnv;
  /** Below it lie the servers of the clone's stacks. */
  readonly dataHome: string;
  /** Runs `pgw` to its end. */
  pgw(...args: string[]): Promise<Finished>;
  /** The same, and an answer that is no success ends the test with everything that was printed. */
  succeed(...args: string[]): Promise<Finished>;
  /** Runs `pgw` in a process group of its own, for tests that kill it. */
  start(...args: string[]): ChildProcess;
  /** Runs a script of bash in the clone's folder. */
  shell(script: string): Promise<Finished>;
  /** Writes a file, path relative to the clone. */
  write(path: string, text: string): Promise<void>;
  /** Writes the clone's own settings. Those that Pulumi put into the file are kept. */
  configure(settings: Record<string, unknown>): Promise<void>;
  /** How a role logs in, as `pgw url` says. */
  login(role: string, database?: string): Promise<Connection>;
  /** One statement as a role. */
  query<Row extends QueryResultRow>(role: string, sql: string): Promise<Row[]>;
  /** Renames its folder. */
  move(name: string): Promise<void>;
  /** Stops its servers and deletes everything of it. */
  remove(): Promise<void>;
}

export interface CloneOptions {
  /** Name of its folder; may hold what paths rarely do. */
  at?: string;
  /** Whose it is, with a home and a cache of that user's own; only root can make others'. */
  uid?: number;
}

/** Variables that lead elsewhere: to a database, an engine, or this test run. */
const foreign = /^(DATABASE_URL$|DB_|AUTO_MIGRATE$|PG(?!W_OFFLINE$)|PULUMI_|NODE_|VITEST|XDG_|HOME$|CI$|npm_)/;

const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");

/** Copies the work tree, files included that are not committed yet, into the run's scratch folder. */
export async function makeClone({ at = "clone", uid }: CloneOptions = {}): Promise<Clone> {
  const own = join(inject("scratch"), `clone-${randomUUID().slice(0, 8)}`);
  const root = join(own, at);
  const home = join(own, "home");
  for (const folder of [own, home, join(own, "data")]) {
    await mkdir(folder);
    // The account that PostgreSQL runs as has to pass.
    await chmod(folder, 0o755);
  }
  await copyWorkTree(root);
  await commitAll(root);
  await linkPlugins(home);
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const env = {
    ...Object.fromEntries(kept),
    HOME: home,
    XDG_DATA_HOME: join(own, "data"),
    // The engine is taken from where the run's set-up put it.
    XDG_CACHE_HOME: uid === undefined ? cacheHome : join(own, "cache"),
  };
  if (uid !== undefined) {
    await cp(join(cacheHome, "pgroundwork", "engine"), join(own, "cache", "pgroundwork", "engine"), {
      recursive: true,
    });
    await giveTo(uid, own);
  }
  return new TestClone(own, root, env, uid);
}

/** Links, which lead to what all clones share, are given away and not what they lead to. */
async function giveTo(uid: number, path: string): Promise<void> {
  await run("chown", ["--no-dereference", "--recursive", `${uid}:${uid}`, path]);
}

/** Makes the copy a repository, so that tests can ask whether it is as clean as it was cloned. */
async function commitAll(root: string): Promise<void> {
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], { cwd: root });
  await git("init", "--quiet");
  // .gitignore has the folder; a link is none.
  await writeFile(join(root, ".git", "info", "exclude"), "/node_modules\n");
  await git("add", "--all");
  await git("commit", "--quiet", "--no-verify", "--message", "as cloned");
}

/** Official plugins that the user has need no second download. */
async function linkPlugins(home: string): Promise<void> {
  const plugins = join(process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "plugins");
  if (!existsSync(plugins)) return;
  await mkdir(join(home, ".pulumi"));
  await symlink(plugins, join(home, ".pulumi", "plugins"));
}

class TestClone implements Clone {
  root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly dataHome: string;
  readonly #own: string;
  readonly #started = new Set<ChildProcess>();

  readonly #user: { uid?: number; gid?: number };

  constructor(own: string, root: string, env: NodeJS.ProcessEnv, uid: number | undefined) {
    this.#user = uid === undefined ? {} : { uid, gid: uid };
    this.#own = own;
    this.root = root;
    this.env = env;
    this.dataHome = join(own, "data", "pgroundwork");
  }

  pgw(...args: string[]): Promise<Finished> {
    return this.#run(join(this.root, "node_modules", ".bin", "node"), ["scripts/pgw.mjs", ...args]);
  }

  async succeed(...args: string[]): Promise<Finished> {
    const finished = await this.pgw(...args);
    if (finished.code === 0) return finished;
    throw new Error(`pgw ${args.join(" ")} ended with ${finished.code}:\n${finished.stdout}${finished.stderr}`);
  }

  start(...args: string[]): ChildProcess {
    const node = join(this.root, "node_modules", ".bin", "node");
    const child = spawn(node, ["scripts/pgw.mjs", ...args], {
      cwd: this.root,
      env: this.env,
      stdio: "ignore",
      detached: true,
      ...this.#user,
    });
    this.#started.add(child);
    child.once("exit", () => this.#started.delete(child));
    return child;
  }

  shell(script: string): Promise<Finished> {
    return this.#run("bash", ["-c", script]);
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true });
    await writeFile(join(this.root, path), text);
    const [top = path] = path.split("/");
    if (this.#user.uid !== undefined) await giveTo(this.#user.uid, join(this.root, top));
  }

  async configure(settings: Record<string, unknown>): Promise<void> {
    const { readFile } = await import("node:fs/promises");
    const path = join(this.root, "Pulumi.local.yaml");
    const before = existsSync(path) ? (await readFile(path, "utf8")).split("\n") : [];
    const kept = before.filter((line) => /^[a-z]/.test(line) && !line.startsWith("config:"));
    const lines = Object.entries(settings).map(([name, value]) => `  pgroundwork:${name}: ${JSON.stringify(value)}`);
    await this.write(
      "Pulumi.local.yaml",
      `${[...kept, ...(lines.length > 0 ? ["config:", ...lines] : [])].join("\n")}\n`,
    );
  }

  async login(role: string, database?: string): Promise<Connection> {
    const option = database === undefined ? [] : ["--database", database];
    return connectionOf((await this.succeed("url", "--role", role, ...option)).stdout);
  }

  async query<Row extends QueryResultRow>(role: string, sql: string): Promise<Row[]> {
    return withClient(await this.login(role), async (client) => (await client.query<Row>(sql)).rows);
  }

  async move(name: string): Promise<void> {
    const moved = join(this.#own, name);
    await rename(this.root, moved);
    this.root = moved;
  }

  async remove(): Promise<void> {
    for (const { pid } of this.#started) if (pid !== undefined) process.kill(-pid, "SIGKILL");
    await endProcessesIn(this.#own);
    // A server is stopped as the user that it runs as.
    if (this.#user.uid !== undefined && existsSync(this.root)) await this.pgw("down");
    const servers = join(this.dataHome, "servers");
    const names = existsSync(servers) ? await readdir(servers) : [];
    for (const name of names) await stopServer(this.dataHome, serverDirectory(join(servers, name)));
    await rm(this.#own, { recursive: true, force: true, maxRetries: 5 });
  }

  async #run(command: string, args: string[]): Promise<Finished> {
    const options = { cwd: this.root, env: this.env, maxBuffer: 2 ** 26, ...this.#user };
    return new Promise((resolve, reject) => {
      execFile(command, args, options, (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
        else reject(error);
      });
    });
  }
}

/** Ends what an engine that was killed by force left behind: its language host does not notice. */
async function endProcessesIn(folder: string): Promise<void> {
  const pids = existsSync("/proc") ? (await readdir("/proc")).filter((name) => /^\d+$/.test(name)) : [];
  for (const pid of pids) {
    const [place, program] = await Promise.all([
      readlink(`/proc/${pid}/cwd`).catch(() => ""),
      readlink(`/proc/${pid}/exe`).catch(() => ""),
    ]);
    if (place.startsWith(folder) && program.endsWith("/pulumi-language-nodejs")) process.kill(Number(pid), "SIGKILL");
  }
}
