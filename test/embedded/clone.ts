import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { QueryResultRow } from "pg";
import { inject } from "vitest";
import { withClient } from "../../scripts/connection/client.ts";
import type { Connection } from "../../scripts/connection/connection.ts";
import type { StackOutputs } from "../../scripts/model/stack-outputs.ts";
import { stopServer } from "../../scripts/server/embedded.ts";
import { serverDirectory } from "../../scripts/server/locations.ts";
import { runOnHost } from "../support/processes/command-client.ts";
import { ensureHosts, stopHosts } from "../support/processes/hosts.ts";
import { engineVariables } from "../support/processes/quick-engine.ts";
import { processVariables } from "../support/processes/variables.ts";
import { claimProjectDirectory, type ProjectDirectory } from "../support/project-directory.ts";
import { connectionIn, readStackOutputs } from "../support/stack-outputs.ts";
import { copyWorkTree } from "../support/work-tree.ts";
import { linkBinaries } from "./linked-binaries.ts";

const run = promisify(execFile);

/** Result of a command. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** The project as a new user has it, with its own folder, home and servers. */
export interface Clone {
  readonly root: string;
  /** Environment of its commands; without variables that point to another database or engine. */
  readonly env: NodeJS.ProcessEnv;
  /** Folder that contains the servers of its stacks. */
  readonly dataHome: string;
  /** Runs a `pgw` command and returns its result. */
  pgw(...args: string[]): Promise<Finished>;
  /** Runs a `pgw` command with further environment variables and returns its result. */
  pgwWith(variables: Readonly<Record<string, string>>, ...args: string[]): Promise<Finished>;
  /**
   * Runs a `pgw` command.
   *
   * @throws Error with all output if the command fails
   */
  succeed(...args: string[]): Promise<Finished>;
  /** Starts a `pgw` command in its own process group, for tests that kill it. */
  start(...args: string[]): ChildProcess;
  /** Runs a bash script in the project directory. */
  shell(script: string): Promise<Finished>;
  /** Writes a file; the path is relative to the project directory. */
  write(path: string, text: string): Promise<void>;
  /** Writes the settings of the local stack. Top-level entries that Pulumi put into the file are kept. */
  configure(settings: Record<string, unknown>): Promise<void>;
  /** Returns the outputs of a stack with passwords, read once after each command that can change them. */
  outputs(stack?: string): Promise<StackOutputs>;
  /** Returns the connection of a role, from the stack's outputs. */
  login(role: string, database?: string, stack?: string): Promise<Connection>;
  /** Runs one statement as a role of a stack. */
  query<Row extends QueryResultRow>(role: string, sql: string, stack?: string): Promise<Row[]>;
  /**
   * From now on, hosts do the work of provider plugins, of the program and of most commands, for a third of the CPU
   * time. They do so from the start unless the options say otherwise.
   */
  useHosts(): Promise<void>;
  /** Renames the project directory. */
  move(name: string): Promise<void>;
  /** Stops its servers and deletes all of its files. */
  remove(): Promise<void>;
}

/** Options of {@link makeClone}. */
export interface CloneOptions {
  /** Name of its folder; may contain unusual characters. */
  at?: string;
  /** User id of the owner, who gets a home and a cache. Only root can set another user. */
  uid?: number;
  /** Makes it a Git repository with one commit, for tests that check that it stays clean. */
  git?: boolean;
  /**
   * Runs commands, provider plugins and the program as separate processes until {@link Clone.useHosts}, for tests that
   * kill, examine or edit them.
   */
  ownPlugins?: boolean;
  /**
   * Starts every process as a user's shell does until {@link Clone.useHosts}: none is made cheaper for tests. The
   * engine is always the user's.
   */
  plain?: boolean;
  /** Runs the user's engine, for states that it has written. */
  usersEngine?: boolean;
}

/** Commands that do not change a stack's outputs. */
const keepsOutputs = new Set(["url", "outputs", "status", "preview", "logs", "seed", "migrate", "psql", "backup"]);

/** Variables that could point to another database, another engine, or this test run. */
const foreign = /^(DATABASE_URL$|DB_|AUTO_MIGRATE$|PG(?!W_OFFLINE$)|PULUMI_|NODE_|VITEST|XDG_|HOME$|CI$|npm_)/;

/** Creates a copy of the work tree, including files that are not committed yet. */
export async function makeClone({
  at = "clone",
  uid,
  git = false,
  ownPlugins = false,
  plain = false,
  usersEngine = plain,
}: CloneOptions = {}): Promise<Clone> {
  // Node.js has compiled code for the paths of shared directories. A special name or owner needs a new directory.
  const isShared = at === "clone" && uid === undefined;
  const directory = isShared ? await claimProjectDirectory(inject("scratch")) : await ownDirectory();
  const own = directory.path;
  const root = join(own, at);
  const home = join(own, "home");
  for (const folder of [own, home, join(own, "data")]) {
    await mkdir(folder, { recursive: true });
    // PostgreSQL's account needs to enter the folder.
    await chmod(folder, 0o755);
  }
  await copyWorkTree(root);
  if (git) await commitAll(root);
  await linkPlugins(home);
  if (isShared && !plain) await linkBinaries(inject("scratch"), join(own, "data", "pgroundwork"));
  // The setup of the test run makes both of the folders that contain an engine.
  const engine = engineVariables(usersEngine ? "" : inject("engineCache"));
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const env = {
    ...Object.fromEntries(kept),
    ...(plain ? {} : processVariables(undefined)),
    HOME: home,
    XDG_DATA_HOME: join(own, "data"),
    ...engine,
    ...(uid === undefined ? {} : { XDG_CACHE_HOME: join(own, "cache") }),
  };
  if (uid !== undefined) {
    const folder = join("pgroundwork", "engine");
    await cp(join(engine.XDG_CACHE_HOME, folder), join(own, "cache", folder), { recursive: true });
    await giveTo(uid, own);
  }
  const clone = new TestClone(directory, root, env, uid);
  if (isShared && !ownPlugins && !plain) await clone.useHosts();
  return clone;
}

async function ownDirectory(): Promise<ProjectDirectory> {
  const path = join(inject("scratch"), `clone-${randomUUID().slice(0, 8)}`);
  return {
    path,
    release: async () => {
      await stopHosts(path);
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Changes the owner of symbolic links, not of their targets, which all projects share. */
async function giveTo(uid: number, path: string): Promise<void> {
  await run("chown", ["--no-dereference", "--recursive", `${uid}:${uid}`, path]);
}

/** Makes the copy a Git repository, so that tests can check that it stays clean. */
async function commitAll(root: string): Promise<void> {
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], { cwd: root });
  await git("init", "--quiet");
  // The entry in .gitignore matches only a folder, not a link.
  await writeFile(join(root, ".git", "info", "exclude"), "/node_modules\n");
  await git("add", "--all");
  await git("commit", "--quiet", "--no-verify", "--message", "as cloned");
}

/** Links the user's official plugins, which saves a second download. */
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

  readonly #directory: ProjectDirectory;
  /** Outputs by stack name. Cleared after each command that may change them. */
  readonly #outputs = new Map<string, Promise<StackOutputs>>();

  constructor(directory: ProjectDirectory, root: string, env: NodeJS.ProcessEnv, uid: number | undefined) {
    this.#user = uid === undefined ? {} : { uid, gid: uid };
    this.#directory = directory;
    const own = directory.path;
    this.#own = own;
    this.root = root;
    this.env = env;
    this.dataHome = join(own, "data", "pgroundwork");
  }

  pgw(...args: string[]): Promise<Finished> {
    return this.pgwWith({}, ...args);
  }

  async pgwWith(variables: Readonly<Record<string, string>>, ...args: string[]): Promise<Finished> {
    const [command = ""] = args;
    const env = { ...this.env, ...variables };
    if (keepsOutputs.has(command)) return this.#pgw(args, env);
    return this.#pgw(args, env).finally(() => this.#outputs.clear());
  }

  async #pgw(args: string[], env: NodeJS.ProcessEnv): Promise<Finished> {
    const finished = await runOnHost(args, this.root, env);
    return finished ?? this.#run(join(this.root, "node_modules", ".bin", "node"), ["scripts/pgw.mjs", ...args], env);
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
    this.#outputs.clear();
    child.once("exit", () => {
      this.#started.delete(child);
      this.#outputs.clear();
    });
    return child;
  }

  shell(script: string): Promise<Finished> {
    return this.#run("bash", ["-c", script]).finally(() => this.#outputs.clear());
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

  outputs(stack = "local"): Promise<StackOutputs> {
    const outputs = this.#outputs.get(stack) ?? readStackOutputs(this.root, this.env, stack);
    this.#outputs.set(stack, outputs);
    outputs.catch(() => this.#outputs.delete(stack));
    return outputs;
  }

  async login(role: string, database?: string, stack = "local"): Promise<Connection> {
    return connectionIn(await this.outputs(stack), { root: this.root, stack }, role, database);
  }

  async query<Row extends QueryResultRow>(role: string, sql: string, stack = "local"): Promise<Row[]> {
    return withClient(await this.login(role, undefined, stack), async (client) => (await client.query<Row>(sql)).rows);
  }

  async useHosts(): Promise<void> {
    if (this.#user.uid !== undefined) throw new Error("Hosts run as the user of the tests.");
    Object.assign(this.env, processVariables(await ensureHosts(this.#own, this.root)));
  }

  async move(name: string): Promise<void> {
    const moved = join(this.#own, name);
    await rename(this.root, moved);
    this.root = moved;
    this.#outputs.clear();
    // The hosts have the code of the former path.
    if (this.env.PGW_TEST_PLUGIN_HOST !== undefined) await this.useHosts();
  }

  async remove(): Promise<void> {
    for (const { pid } of this.#started) if (pid !== undefined) process.kill(-pid, "SIGKILL");
    await endProcessesIn(this.#own);
    // A server is stopped as the user that it runs as.
    if (this.#user.uid !== undefined && existsSync(this.root)) await this.pgw("down");
    const servers = join(this.dataHome, "servers");
    const names = existsSync(servers) ? await readdir(servers) : [];
    for (const name of names) await stopServer(this.dataHome, serverDirectory(join(servers, name)));
    await this.#directory.release();
  }

  async #run(command: string, args: string[], env = this.env): Promise<Finished> {
    const options = { cwd: this.root, env, maxBuffer: 2 ** 26, ...this.#user };
    return new Promise((resolve, reject) => {
      execFile(command, args, options, (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
        else reject(error);
      });
    });
  }
}

/** Ends language hosts that an engine left when it was killed: they do not detect its end. */
async function endProcessesIn(folder: string): Promise<void> {
  const pids = existsSync("/proc") ? (await readdir("/proc")).filter((name) => /^\d+$/.test(name)) : [];
  for (const pid of pids) {
    const [place, program] = await Promise.all([
      readlink(`/proc/${pid}/cwd`).catch(() => ""),
      readlink(`/proc/${pid}/exe`).catch(() => ""),
    ]);
    // Projects have numbers: the folder of the first begins the paths of the tenth.
    if (`${place}/`.startsWith(`${folder}/`) && program.endsWith("/pulumi-language-nodejs"))
      process.kill(Number(pid), "SIGKILL");
  }
}
