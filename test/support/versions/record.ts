/**
 * Records the stacks of a version: `node_modules/.bin/node test/support/versions/record.ts 0.2.0`. See README.md in
 * this folder.
 */
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { dockerClient } from "../../../scripts/docker/client.ts";
import { ownerOf } from "../../../scripts/docker/names.ts";
import { ensureServer, stopServer } from "../../../scripts/server/embedded.ts";
import { serverDirectory } from "../../../scripts/server/locations.ts";
import { cloneRoot } from "../../clone-root.ts";
import { copyWorkTree } from "../work-tree.ts";
import type { Deployment } from "./deployment.ts";
import { formatted } from "./formatted.ts";
import { neutralise } from "./neutral.ts";
import { databaseFolder, passphrase, versionFolder } from "./places.ts";
import { withTextsApart } from "./texts.ts";

const run = promisify(execFile);

/**
 * Settings that make the plan of a server's memory the same on every machine: it depends on the number of processors.
 */
const samePlan = {
  max_worker_processes: "8",
  max_parallel_workers_per_gather: "2",
  max_parallel_workers: "8",
  max_parallel_maintenance_workers: "2",
  autovacuum_max_workers: "3",
  work_mem: "4MB",
};

/** Settings of each recorded stack that its file in the repository does not have. */
const settings: Record<string, Record<string, unknown>> = {
  local: { memory: 1024, postgresql: samePlan },
  dev: { cpus: 2, airgap: true },
  // airgap, because real stacks refuse fallback providers otherwise.
  staging: { cpus: 2, airgap: true },
  external: { server: "external", seeds: ["reference"] },
};

const superuserPassword = "recorded-superuser-password";

/** Brings up stacks in a temporary project directory with its own home, and records them. */
class Recording {
  readonly work: string;
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;

  constructor(work: string) {
    this.work = work;
    this.root = join(work, "project");
    const { PATH, XDG_CACHE_HOME, HOME } = process.env;
    this.env = {
      PATH,
      HOME: join(work, "home"),
      XDG_DATA_HOME: join(work, "data"),
      XDG_CACHE_HOME: XDG_CACHE_HOME ?? join(HOME ?? "", ".cache"),
      PULUMI_CONFIG_PASSPHRASE: passphrase,
      // The recorded state is that of the fallback providers, which every machine has.
      PGW_OFFLINE: "1",
    };
  }

  get dataHome(): string {
    return join(this.work, "data", "pgroundwork");
  }

  async prepare(): Promise<void> {
    await copyWorkTree(this.root);
    await cp(databaseFolder, join(this.root, "migrations", "shop"), { recursive: true });
    await writeFile(join(this.root, ".pgroundwork", "passphrase"), passphrase, { mode: 0o600 });
    for (const folder of ["home", "data"]) await mkdir(join(this.work, folder), { mode: 0o755 });
    // PostgreSQL's account needs to enter the folder.
    await chmod(this.work, 0o755);
  }

  /** Runs a script with the engine on PATH as `pulumi`. */
  async bash(script: string): Promise<string> {
    // The exported variables are the local stack's. All recorded stacks have one passphrase.
    const engine = `eval "$(node_modules/.bin/node scripts/pgw.mjs engine env)"; export PULUMI_CONFIG_PASSPHRASE=${passphrase}\n`;
    const options = { cwd: this.root, env: this.env, maxBuffer: 2 ** 28 };
    return (await run("bash", ["-euc", engine + script], options)).stdout;
  }

  /** Writes a stack's settings: its file in the repository, overridden by {@link settings}. */
  async configure(stack: string): Promise<void> {
    const own = await readFile(join(this.root, `Pulumi.${stack}.yaml`), "utf8").catch(() => "config:\n");
    const given = { ...settings[stack], databases: ["shop"] };
    const kept = own
      .split("\n")
      .filter((line) => line !== "" && !Object.keys(given).some((name) => line.includes(`:${name}:`)));
    const lines = Object.entries(given).map(([name, value]) => `  pgroundwork:${name}: ${JSON.stringify(value)}`);
    await writeFile(join(this.root, `Pulumi.${stack}.yaml`), `${[...kept, ...lines].join("\n")}\n`);
  }

  /**
   * Removes the objects of the recorded stacks from the Docker engine. Stacks of the same name in other projects are
   * not touched.
   */
  async removeFromEngine(): Promise<void> {
    const docker = dockerClient();
    const filters = { label: [`pgroundwork.owner=${ownerOf(undefined, this.root)}`] };
    for (const { Id } of await docker.listContainers({ all: true, filters }))
      await docker.getContainer(Id).remove({ force: true, v: true });
    for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove();
    for (const { Name } of (await docker.listVolumes({ filters })).Volumes) await docker.getVolume(Name).remove();
  }

  /** Records a running stack in a folder. */
  async record(stack: string, folder: string): Promise<void> {
    const exported = await this.bash(`pulumi stack export --show-secrets --stack ${stack}`);
    const { deployment } = JSON.parse(exported) as { deployment: Deployment };
    const { DockerRootDir: dockerRoot } = (await dockerClient().info()) as { DockerRootDir: string };
    const platform = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
    const at = { projectRoot: this.root, dataHome: this.dataHome, platform, dockerRoot };
    const neutral = await neutralise(deployment, stack, at);
    const { state, texts } = withTextsApart(neutral.deployment);
    await write(join(folder, "stack.json"), `${formatted({ version: 3, deployment: state })}\n`);
    for (const [name, text] of texts) await write(join(folder, "texts", name), text);
    const yaml = await readFile(join(this.root, `Pulumi.${stack}.yaml`), "utf8");
    await write(join(folder, `Pulumi.${stack}.yaml`), yaml.split("\n").map(neutral.inText).join("\n"));
    for (const { outputs } of deployment.resources) {
      if (typeof outputs?.dataDirectory !== "string" || typeof outputs.folder !== "string") continue;
      const conf = await readFile(join(outputs.dataDirectory, "pgroundwork.conf"), "utf8");
      await write(join(folder, "data", "pgroundwork.conf"), neutral.inText(conf));
    }
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function main(version: string): Promise<void> {
  const recording = new Recording(await mkdtemp(join(tmpdir(), "pgroundwork-record-")));
  const folder = join(recording.work, "recorded");
  await recording.prepare();
  const externalFolder = join(recording.dataHome, "servers", "external");
  const home = recording.dataHome;
  try {
    const server = await ensureServer({ home, folder: externalFolder, superuserPassword, settings: {} });
    settings.external = {
      ...settings.external,
      url: `postgresql://postgres@${server.host}:${server.port}/postgres?sslmode=disable`,
    };
    for (const stack of Object.keys(settings)) {
      process.stderr.write(`${stack}\n`);
      await recording.configure(stack);
      if (stack === "external") {
        const password = `pulumi config set --secret superuserPassword ${superuserPassword} --stack external`;
        await recording.bash(`pulumi stack init external && ${password}`);
      }
      await recording.bash(`node scripts/pgw.mjs up --stack ${stack}`);
      await recording.record(stack, join(folder, stack));
    }
    await rm(versionFolder(version), { recursive: true, force: true });
    await cp(folder, versionFolder(version), { recursive: true });
  } finally {
    await recording.removeFromEngine();
    await recording.bash("node scripts/pgw.mjs down").catch(() => undefined);
    await stopServer(home, serverDirectory(externalFolder));
    await rm(recording.work, { recursive: true, force: true });
  }
}

const [version] = process.argv.slice(2);
if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
  process.stderr.write("usage: node test/support/versions/record.ts <version>\n");
  process.exitCode = 2;
} else {
  process.chdir(cloneRoot);
  await main(version);
}
