import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import type { QueryResultRow } from "pg";
import { afterAll } from "vitest";
import { dockerClient } from "../../scripts/docker/client.ts";
import { unlessMissing } from "../../scripts/docker/docker-error.ts";
import { withClient } from "../../scripts/target/client.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import type { Clone, CloneOptions, Finished } from "../embedded/clone.ts";
import { makeShop } from "../embedded/infra/program/shop.ts";
import { connectionOf } from "../printed-url.ts";
import { removeNamed } from "./belongings.ts";

/** A clone with a stack in the Docker engine, under a name that no other test has. */
export interface DockerStack {
  readonly clone: Clone;
  /** The stack's name. */
  readonly stack: string;
  /** Every name of its things in the engine begins so. */
  readonly prefix: string;
  /** Name of its server's container. */
  readonly server: string;
  /** What the engine says of one of its containers, by default of its server's. */
  inspected(role?: string): Promise<Docker.ContainerInspectInfo>;
  /** Writes the stack's settings; the kind of server and the shop's databases and seeds are filled in. What Pulumi put into the file is kept. */
  configure(settings?: Record<string, unknown>): Promise<void>;
  /** Runs `pgw` on the stack to its end. */
  pgw(...args: string[]): Promise<Finished>;
  /** The same, and an answer that is no success ends the test with everything that was printed. */
  succeed(...args: string[]): Promise<Finished>;
  /** How a role logs in, as `pgw url` says. */
  login(role: string): Promise<Connection>;
  /** One statement as a role. */
  query<Row extends QueryResultRow>(role: string, sql: string): Promise<Row[]>;
}

const all: { clone: Clone; prefix: string; stack: string }[] = [];

// Here and not where one is made: what is registered while a hook runs is never called.
afterAll(async () => {
  for (const { clone, prefix, stack } of all) {
    await removeUnnamed(stack);
    await removeNamed(prefix);
    await untagImages(prefix);
    await clone.remove();
  }
});

/** What was made for a moment's work by a run that failed: it has a name of Docker's own. */
async function removeUnnamed(stack: string): Promise<void> {
  const docker = dockerClient();
  const left = await docker.listContainers({ all: true, filters: { label: [`pgroundwork.stack=${stack}`] } });
  for (const { Id } of left) await docker.getContainer(Id).remove({ force: true, v: true });
}

/** Takes its names from images that have others, too. One that would go with its last name stays: another test's build may be about to end in it. */
async function untagImages(prefix: string): Promise<void> {
  const docker = dockerClient();
  const images = await docker.listImages({ filters: { reference: [`${prefix}-*`] } });
  for (const { Id } of images) {
    // The list has those alone that were asked for.
    const tags = (await unlessMissing(docker.getImage(Id).inspect()))?.RepoTags ?? [];
    const own = tags.filter((tag) => tag.startsWith(`${prefix}-`));
    if (own.length === tags.length) continue;
    for (const tag of own) await unlessMissing(docker.getImage(tag).remove());
  }
}

/**
 * Everything of it is removed after the file's last test.
 *
 * @param stack the name of a stack that another clone has, too
 */
export async function makeDockerStack(
  options: CloneOptions = {},
  stack = `t${randomBytes(4).toString("hex")}`,
): Promise<DockerStack> {
  const clone = await makeShop(options);
  const prefix = `pgroundwork-${stack}`;
  all.push({ clone, prefix, stack });
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
    login: async (role) => connectionOf((await made.succeed("url", "--role", role)).stdout),
    async query<Row extends QueryResultRow>(role: string, sql: string) {
      return withClient(await made.login(role), async (client) => (await client.query<Row>(sql)).rows);
    },
  };
  await made.configure();
  return made;
}
