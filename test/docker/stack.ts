import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import type { QueryResultRow } from "pg";
import type { Connection } from "../../scripts/connection/connection.ts";
import { dockerClient } from "../../scripts/docker/client.ts";
import { unlessMissing } from "../../scripts/docker/docker-error.ts";
import type { Clone, CloneOptions, Finished } from "../embedded/clone.ts";
import { makeShop } from "../embedded/infra/program/shop.ts";
import { afterFile } from "../support/after-file.ts";
import { removeNamed } from "./docker-objects.ts";

/** A project directory with a stack in the Docker engine. No other test has a stack of this name. */
export interface DockerStack {
  readonly clone: Clone;
  /** Name of the stack. */
  readonly stack: string;
  /** Prefix of the names of its objects in the engine. */
  readonly prefix: string;
  /** Name of its server's container. */
  readonly server: string;
  /** Returns Docker's inspection of one of its containers, by default of its server's. */
  inspected(role?: string): Promise<Docker.ContainerInspectInfo>;
  /**
   * Writes the stack's settings. The kind of server and the shop's databases and seeds are filled in. Pulumi's
   * encryption salt in the file is kept.
   */
  configure(settings?: Record<string, unknown>): Promise<void>;
  /** Runs a `pgw` command on the stack and returns its result. */
  pgw(...args: string[]): Promise<Finished>;
  /**
   * Runs a `pgw` command on the stack.
   *
   * @throws Error with all output if the command fails
   */
  succeed(...args: string[]): Promise<Finished>;
  /** Returns the connection that `pgw url` prints for a role. */
  login(role: string): Promise<Connection>;
  /** Runs one statement as a role. */
  query<Row extends QueryResultRow>(role: string, sql: string): Promise<Row[]>;
}

/** Removes all that a stack has in the engine, and its project directory. */
async function removeStack(clone: Clone, prefix: string, stack: string): Promise<void> {
  await removeUnnamed(stack);
  await removeNamed(prefix);
  await untagImages(prefix);
  await clone.remove();
}

/** Removes temporary containers of a failed run, which have random names from Docker. */
async function removeUnnamed(stack: string): Promise<void> {
  const docker = dockerClient();
  const left = await docker.listContainers({ all: true, filters: { label: [`pgroundwork.stack=${stack}`] } });
  for (const { Id } of left) await docker.getContainer(Id).remove({ force: true, v: true });
}

/**
 * Removes the stack's names from images that have other names, too. An image whose last name would go is kept: another
 * test's build may be about to reuse it.
 */
export async function untagImages(prefix: string): Promise<void> {
  const docker = dockerClient();
  const images = await docker.listImages({ filters: { reference: [`${prefix}-*`] } });
  for (const { Id } of images) {
    // The list of images contains only the tags that match the filter.
    const tags = (await unlessMissing(docker.getImage(Id).inspect()))?.RepoTags ?? [];
    const own = tags.filter((tag) => tag.startsWith(`${prefix}-`));
    if (own.length === tags.length) continue;
    for (const tag of own) await unlessMissing(docker.getImage(tag).remove());
  }
}

/**
 * Creates a project directory with a Docker stack. All of it is removed after the file's last test.
 *
 * @param stack name of the stack, if another project directory has a stack of the same name
 */
export async function makeDockerStack(
  options: CloneOptions = {},
  stack = `t${randomBytes(4).toString("hex")}`,
): Promise<DockerStack> {
  const clone = await makeShop(options);
  const prefix = `pgroundwork-${stack}`;
  afterFile(() => removeStack(clone, prefix, stack));
  clone.env.PULUMI_CONFIG_PASSPHRASE = "a-passphrase-for-tests";
  const made: DockerStack = {
    clone,
    stack,
    prefix,
    server: `${prefix}-postgres`,
    inspected: (role = "postgres") => dockerClient().getContainer(`${prefix}-${role}`).inspect(),
    async configure(settings = {}) {
      const file = `Pulumi.${stack}.yaml`;
      const { stdout } = await clone.shell(`cat ${file}`);
      const kept = stdout.split("\n").filter((line) => line.startsWith("encryptionsalt:"));
      const given = { server: "docker", databases: ["shop"], seeds: ["reference", "dev"], ...settings };
      const lines = Object.entries(given).map(([name, value]) => `  pgroundwork:${name}: ${JSON.stringify(value)}`);
      await clone.write(file, `${[...kept, "config:", ...lines].join("\n")}\n`);
    },
    pgw: (command, ...args) => clone.pgw(command ?? "", ...args, "--stack", stack),
    succeed: (command, ...args) => clone.succeed(command ?? "", ...args, "--stack", stack),
    login: (role) => clone.login(role, undefined, stack),
    query: (role, sql) => clone.query(role, sql, stack),
  };
  await made.configure();
  return made;
}
