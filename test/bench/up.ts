import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EngineInstallation } from "../../scripts/engine/ensure-engine.ts";
import { cloneRoot } from "../clone-root.ts";
import { copyWorkTree } from "../work-tree.ts";
import { describeTimes, type Measurement, median, timed } from "./measurement.ts";

const run = promisify(execFile);

/** Enough for a median on a noisy machine; a cold start takes seconds. */
const coldRuns = 3;
const pairs = 9;

/** From nothing, and with nothing to do against a Pulumi program that declares nothing. */
export async function benchUp(scratch: string, engine: EngineInstallation): Promise<Measurement[]> {
  const cold: number[] = [];
  let clone: BenchClone | undefined;
  try {
    for (let i = 0; i < coldRuns; i += 1) {
      await clone?.down();
      const fresh = await BenchClone.make(join(scratch, `clone-${i}`));
      clone = fresh;
      cold.push(await timed(() => fresh.npm("up")));
    }
    if (clone === undefined) throw new Error("no clone was made");
    const kit = clone;
    const empty = await emptyProgram(join(scratch, "empty"), engine);
    // In turn, so that both see the machine in the same mood; the first pair fills caches.
    const [ours, typed, bare]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i <= pairs; i += 1) {
      const mine = await timed(() => kit.npm("up"));
      const asTyped = await timed(() => empty("--yes"));
      const without = await timed(() => empty("--yes", "--skip-preview"));
      if (i === 0) continue;
      ours.push(mine);
      typed.push(asTyped);
      bare.push(without);
    }
    const status: number[] = [];
    const url = (await kit.node("scripts/pgw.mjs", "url", "--role", "migrator")).trim();
    for (let i = 0; i <= pairs; i += 1) {
      const seconds = await timed(() => kit.node("scripts/pgw.mjs", "migrate", "status", { DATABASE_URL: url }));
      if (i > 0) status.push(seconds);
    }
    const noChange = (what: string, theirs: readonly number[], command: string): Measurement => {
      const ratio = median(ours) / median(theirs);
      const against = `empty program, ${command}: ${describeTimes(theirs)}`;
      return { what, here: describeTimes(ours), against, ratio, target: "≤ 2×", met: ratio <= 2 };
    };
    return [
      { what: "up from nothing, one database", here: describeTimes(cold), target: "≤ 15 s", met: median(cold) <= 15 },
      noChange("up with nothing to do, as typed", typed, "pulumi up --yes"),
      noChange("the same, against an update without preview", bare, "pulumi up --yes --skip-preview"),
      {
        what: "migrate status, nothing pending, by DATABASE_URL",
        here: describeTimes(status),
        target: "≤ 0.15 s",
        met: median(status) <= 0.15,
      },
    ];
  } finally {
    await clone?.down();
  }
}

/** A clone with a home of its own; the engine is the user's. */
class BenchClone {
  readonly #root: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(root: string, env: NodeJS.ProcessEnv) {
    this.#root = root;
    this.#env = env;
  }

  static async make(folder: string): Promise<BenchClone> {
    const [root, home, data] = [join(folder, "clone"), join(folder, "home"), join(folder, "data")];
    for (const each of [folder, home, data]) await mkdir(each, { mode: 0o755 });
    await copyWorkTree(root);
    const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
    return new BenchClone(root, { PATH: process.env.PATH, HOME: home, XDG_DATA_HOME: data, XDG_CACHE_HOME: cache });
  }

  async npm(script: string): Promise<void> {
    await run("npm", ["run", "--silent", script], { cwd: this.#root, env: this.#env });
  }

  /** Runs the pinned Node; a last argument that is an object adds variables. */
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

/** A program without resources in a stack of its own, run as the kit runs its program. Answers what runs its `up` with some flags. */
async function emptyProgram(
  folder: string,
  engine: EngineInstallation,
): Promise<(...flags: string[]) => Promise<void>> {
  await mkdir(join(folder, "state"), { recursive: true });
  await symlink(join(cloneRoot, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), `{ "type": "module" }\n`);
  await writeFile(join(folder, "index.ts"), `import "@pulumi/pulumi";\n`);
  const project = "name: empty\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.ts\n";
  await writeFile(join(folder, "Pulumi.yaml"), project);
  const env = {
    ...process.env,
    ...engine.environment,
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
  };
  const pulumi = async (...args: string[]) => void (await run(engine.pulumi, args, { cwd: folder, env }));
  await pulumi("stack", "init", "empty");
  return (...flags) => pulumi("up", ...flags, "--stack", "empty");
}
