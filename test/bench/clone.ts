import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { copyWorkTree } from "../support/work-tree.ts";

const run = promisify(execFile);

/** A project directory with its own home. It uses the engine in the user's cache. */
export class BenchClone {
  readonly #root: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(root: string, env: NodeJS.ProcessEnv) {
    this.#root = root;
    this.#env = env;
  }

  /**
   * Creates a project directory.
   *
   * @param more variables besides PATH, HOME and the XDG folders
   */
  static async make(folder: string, more: NodeJS.ProcessEnv = {}): Promise<BenchClone> {
    const [root, home, data] = [join(folder, "clone"), join(folder, "home"), join(folder, "data")];
    for (const each of [folder, home, data]) await mkdir(each, { mode: 0o755 });
    await copyWorkTree(root);
    const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
    const own = { HOME: home, XDG_DATA_HOME: data, XDG_CACHE_HOME: cache };
    return new BenchClone(root, { PATH: process.env.PATH, ...own, ...more });
  }

  /** Runs an npm script and returns its stdout. */
  async npm(script: string, ...args: string[]): Promise<string> {
    const { stdout } = await run("npm", ["run", "--silent", script, "--", ...args], {
      cwd: this.#root,
      env: this.#env,
    });
    return stdout;
  }

  /** Runs a shell script in the project directory and returns its stdout. */
  async shell(script: string): Promise<string> {
    return (await run("bash", ["-ec", script], { cwd: this.#root, env: this.#env })).stdout;
  }

  async write(path: string, text: string): Promise<void> {
    await writeFile(join(this.#root, path), text);
  }

  /** Runs the pinned Node.js and returns its stdout. Objects among the arguments are additional variables. */
  async node(...args: (string | NodeJS.ProcessEnv)[]): Promise<string> {
    const words = args.filter((each) => typeof each === "string");
    const extra = args.find((each) => typeof each === "object");
    const node = join(this.#root, "node_modules", ".bin", "node");
    return (await run(node, words, { cwd: this.#root, env: { ...this.#env, ...extra } })).stdout;
  }

  async down(): Promise<void> {
    await this.npm("down");
  }
}
