import { setTimeout as sleep } from "node:timers/promises";
import type { BackupList } from "../../scripts/backup/list.ts";
import type { BackupLocation } from "../../scripts/backup/location.ts";
import { containerServer, readContents, type TableContents } from "../../scripts/backup/restore/contents.ts";
import { paths } from "../../scripts/backup/stack-backups.ts";
import type { ListedDumps } from "../../scripts/cli/commands/backup/list-dumps.ts";
import { dockerClient } from "../../scripts/docker/client.ts";
import { type Finished, runInContainer } from "../../scripts/docker/run-in-container.ts";
import { withScratchContainer } from "../../scripts/docker/scratch-container.ts";
import { isRunning } from "../../scripts/docker/server/running.ts";
import { type DockerStack, makeDockerStack } from "./stack.ts";

/** Schedule that does not come due during a test. */
export const never = "0 0 29 2 *";

/** Answer of `backup list --json`. */
export type Listed = BackupList & { dumps: ListedDumps; otherLag?: BackupList["lag"] };

/** A stack with backups that are made only at a test's request. */
export interface BackedUpShop extends DockerStack {
  /** Name of the container that makes backups. The next is the name of the volume that holds them. */
  readonly sidecar: string;
  readonly repository: string;
  /** Settings that {@link makeBackedUpShop} wrote. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Returns the location of its backups, as `backup location` prints it. */
  location(): Promise<BackupLocation>;
  list(): Promise<{ code: number; found: Listed; text: string }>;
  inServer(...command: string[]): Promise<Finished>;
  inSidecar(...command: string[]): Promise<Finished>;
  /** Runs statements in the shop's database as superuser, each by itself, and returns what they print. */
  sql(...statements: string[]): Promise<string>;
  /** Returns the tables of the shop's database on the running server: see {@link shopTables}. */
  tables(): Promise<string[]>;
  /** Runs a shell script with the repository's volume at /repository, as the owner of its files. */
  onRepository(script: string): Promise<string>;
  /** Runs a shell script as root with the repository's volume at /repository, in a container of its own. */
  onRepositoryAsRoot(script: string): Promise<string>;
  /** Waits until a condition holds. */
  until(what: string, holds: () => Promise<boolean>): Promise<void>;
  /** Waits for the backup that the container makes by itself. */
  untilFirstBackup(): Promise<void>;
}

/** Longest time in ms to wait for something that a container does by itself, also on a busy machine. */
const waitedForMs = 240_000;

const docker = dockerClient();

/** Creates a stack with backups. `settings` override its settings. */
export async function makeBackedUpShop(settings: Record<string, unknown> = {}): Promise<BackedUpShop> {
  const stack = await makeDockerStack();
  const [sidecar, repository] = [`${stack.prefix}-backup`, `${stack.prefix}-backup`];
  const own = { memory: 512, maxConnections: 30, backups: { full: never, incremental: never }, ...settings };
  await stack.configure(own);
  const inServer = (...command: string[]) => runInContainer(docker, stack.server, { command });
  const onRepositoryAsRoot = async (script: string) => {
    const { Image: image } = await stack.inspected();
    const owner = { project: "pgroundwork", stack: stack.stack, owner: "tests" };
    const asRoot = { user: "0", capabilities: ["CHOWN", "DAC_OVERRIDE", "FOWNER"] };
    const spec = { image, owner, command: ["sleep", "60"], ...asRoot, volumes: { "/repository": repository } };
    return withScratchContainer(docker, spec, async (container) => {
      await container.start();
      return succeedIn(container.id, script);
    });
  };
  return {
    ...stack,
    settings: own,
    sidecar,
    repository,
    location: async () => JSON.parse((await stack.succeed("backup", "location", "--json")).stdout) as BackupLocation,
    async list() {
      const { code, stdout, stderr } = await stack.pgw("backup", "list", "--json");
      const found = JSON.parse(stdout) as Listed | { error: unknown };
      if ("error" in found) throw new Error(`backup list ended with ${code}: ${stderr}`);
      return { code, found, text: found.findings.map(({ text }) => text).join("\n") };
    },
    inServer,
    inSidecar: (...command) => runInContainer(docker, sidecar, { command }),
    async sql(...statements) {
      const given = statements.flatMap((each) => ["-c", each]);
      const { code, stdout, stderr } = await inServer("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "shop", ...given);
      if (code !== 0) throw new Error(stderr);
      return stdout.trim();
    },
    async tables() {
      return shopTables(
        (await readContents(containerServer(docker, stack.server), new AbortController().signal)).databases,
      );
    },
    // A command in a running container costs a fifth of a container.
    async onRepository(script) {
      if (!(await isRunning(docker, sidecar))) return onRepositoryAsRoot(script);
      return succeedIn(sidecar, script.replaceAll("/repository/", `${paths.repository}/`));
    },
    onRepositoryAsRoot,
    until,
    async untilFirstBackup() {
      // `backup list` would cost as much as ten of these commands.
      await until("the first backup", async () => {
        const { code, stdout } = await runInContainer(docker, sidecar, {
          command: ["pgbackrest", "info", "--output=json"],
        });
        const stanzas = code === 0 ? (JSON.parse(stdout) as { backup: unknown[] }[]) : [];
        return stanzas[0]?.backup.length === 1;
      });
    },
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + waitedForMs;
  for (;;) {
    const began = Date.now();
    if (await holds()) return;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    // A condition that takes long to check keeps the processors busy that the awaited work needs.
    await sleep(Math.max(500, 3 * (Date.now() - began)));
  }
}

async function succeedIn(container: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await runInContainer(docker, container, { command: ["sh", "-c", script] });
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`);
  return stdout;
}

/**
 * Returns a shell command that overwrites 64 bytes in the middle of a file. A single bit may be one that a reader does
 * not need.
 */
export function damageMiddle(file: string): string {
  const at = `$(( $(stat -c %s ${file}) / 2 ))`;
  return `dd if=/dev/urandom of=${file} bs=1 count=64 seek=${at} conv=notrunc 2>/dev/null`;
}

/** Returns the tables of the shop's database, as {@link asLines} formats them. */
export function shopTables(databases: readonly { database: string; tables: readonly TableContents[] }[]): string[] {
  return asLines(databases.find(({ database }) => database === "shop")?.tables ?? []);
}

/** Formats tables with row count and checksum, one line for each, for comparison. */
export function asLines(tables: readonly TableContents[]): string[] {
  return tables.map(({ table, rows, checksum }) => `${table} ${rows} ${checksum}`);
}
