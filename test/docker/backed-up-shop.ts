import { setTimeout as sleep } from "node:timers/promises";
import type { TableContents } from "../../scripts/backup/contents.ts";
import type { BackupList } from "../../scripts/backup/list.ts";
import { dockerClient } from "../../scripts/docker/client.ts";
import { type Finished, runInContainer } from "../../scripts/docker/run-in-container.ts";
import { withScratchContainer } from "../../scripts/docker/scratch-container.ts";
import { type DockerStack, makeDockerStack } from "./stack.ts";

/** Runs no schedule while a test does. */
const never = "0 0 29 2 *";

/** A stack with backups, which are made only when a test asks for one. */
export interface BackedUpShop extends DockerStack {
  /** Names of the container that makes backups, and of the volume that holds them. */
  readonly sidecar: string;
  readonly repository: string;
  list(): Promise<{ code: number; found: BackupList; text: string }>;
  inServer(...command: string[]): Promise<Finished>;
  inSidecar(...command: string[]): Promise<Finished>;
  /** Runs shell text as root with the repository's volume at /repository. */
  onRepository(script: string): Promise<string>;
  /** Waits until this holds. */
  until(what: string, holds: () => Promise<boolean>): Promise<void>;
}

const docker = dockerClient();

export async function makeBackedUpShop(settings: Record<string, unknown> = {}): Promise<BackedUpShop> {
  const stack = await makeDockerStack();
  const [sidecar, repository] = [`${stack.prefix}-backup`, `${stack.prefix}-backup`];
  await stack.configure({
    memory: 512,
    maxConnections: 30,
    backups: { full: never, incremental: never },
    ...settings,
  });
  return {
    ...stack,
    sidecar,
    repository,
    async list() {
      const { code, stdout, stderr } = await stack.pgw("backup", "list", "--json");
      if (!stdout.startsWith("{")) throw new Error(`backup list ended with ${code}: ${stderr}`);
      const found = JSON.parse(stdout) as BackupList;
      return { code, found, text: found.findings.map(({ text }) => text).join("\n") };
    },
    inServer: (...command) => runInContainer(docker, stack.server, { command }),
    inSidecar: (...command) => runInContainer(docker, sidecar, { command }),
    async onRepository(script) {
      const { Image: image } = await stack.inspected();
      const owner = { project: "pgroundwork", stack: stack.stack, owner: "tests" };
      const spec = { image, owner, command: ["sleep", "60"], user: "0", volumes: { "/repository": repository } };
      return withScratchContainer(docker, spec, async (container) => {
        await container.start();
        const { code, stdout, stderr } = await runInContainer(docker, container.id, { command: ["sh", "-c", script] });
        if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`);
        return stdout;
      });
    },
    async until(what, holds) {
      const deadline = Date.now() + 60_000;
      while (!(await holds())) {
        if (Date.now() > deadline) throw new Error(`waited a minute in vain: ${what}`);
        await sleep(250);
      }
    },
  };
}

/** Tables with rows and checksum, in one text each, to compare. */
export function asLines(tables: readonly TableContents[]): string[] {
  return tables.map(({ table, rows, checksum }) => `${table} ${rows} ${checksum}`);
}
