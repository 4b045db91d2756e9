import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "../../scripts/connection/connection.ts";
import { cloneRoot } from "../clone-root.ts";
import { connectionOf } from "../printed-url.ts";
import { BenchClone } from "./clone.ts";

/** A project directory with a stack like `dev` under a unique name. */
export class DevStack {
  readonly #clone: BenchClone;
  readonly #name: string;
  readonly #settings: string;

  private constructor(clone: BenchClone, name: string, settings: string) {
    this.#clone = clone;
    this.#name = name;
    this.#settings = settings;
  }

  /**
   * Creates a stack.
   *
   * @param isFresh if true, its image differs from every other image, so that no layer is cached
   */
  static async make(folder: string, { isFresh = false } = {}): Promise<DevStack> {
    const name = `bench${randomBytes(4).toString("hex")}`;
    const clone = await BenchClone.make(folder, { PULUMI_CONFIG_PASSPHRASE: "bench" });
    if (isFresh) {
      const file = "infra/images/postgres/Dockerfile";
      const dockerfile = await readFile(join(cloneRoot, file), "utf8");
      await clone.write(file, dockerfile.replace(/^FROM .*$/m, `$&\nLABEL bench=${name}`));
    }
    const settings = await readFile(join(cloneRoot, "Pulumi.dev.yaml"), "utf8");
    const stack = new DevStack(clone, name, settings);
    await stack.configure();
    return stack;
  }

  get prefix(): string {
    return `pgroundwork-${this.#name}`;
  }

  get container(): string {
    return `${this.prefix}-postgres`;
  }

  /**
   * Writes the stack's settings.
   *
   * @param more additional lines of the settings file
   */
  async configure(...more: string[]): Promise<void> {
    const file = `Pulumi.${this.#name}.yaml`;
    // The salt of its secrets, if it has any.
    const salt = await this.#clone.shell(`grep -s ^encryptionsalt: ${file} || true`);
    await this.#clone.write(file, [salt.trimEnd(), this.#settings.trimEnd(), ...more, ""].join("\n").trimStart());
  }

  up(): Promise<string> {
    return this.#clone.npm("up", "--stack", this.#name);
  }

  erase(): Promise<string> {
    return this.#clone.npm("pgw", "destroy", "--erase", this.#name, "--yes", "--stack", this.#name);
  }

  /** Runs a `pgw` command on the stack and returns its stdout. */
  pgw(...args: string[]): Promise<string> {
    return this.#clone.npm("pgw", ...args, "--stack", this.#name);
  }

  /** Sets an encrypted value inside a setting. */
  async setSecret(path: string, value: string): Promise<void> {
    const stack = `--stack ${this.#name}`;
    await this.#clone.shell(`eval "$(npm run --silent pgw -- engine env ${stack})"
      pulumi stack init ${this.#name} >/dev/null 2>&1 || true
      printf %s '${value}' | pulumi config set ${stack} --secret --path 'pgroundwork:${path}'`);
  }

  /** Writes a file of the project directory. */
  write(path: string, text: string): Promise<void> {
    return this.#clone.write(path, text);
  }

  async login(role: string): Promise<Connection> {
    return connectionOf(await this.#clone.npm("pgw", "url", "--role", role, "--stack", this.#name));
  }
}
