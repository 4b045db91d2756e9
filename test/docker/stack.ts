import { randomBytes } from "node:crypto";
import type { QueryResultRow } from "pg";
import { afterAll } from "vitest";
import { dockerClient } from "../../scripts/docker/client.ts";
import { withClient } from "../../scripts/target/client.ts";
import { fromUrl } from "../../scripts/target/url.ts";
import type { Clone, CloneOptions, Finished } from "../embedded/clone.ts";
import { makeShop } from "../embedded/infra/program/shop.ts";
import { removeNamed } from "./belongings.ts";

/** A clone with a stack in the Docker engine, under a name that no other test has. */
export interface DockerStack {
  readonly clone: Clone;
  /** The stack's name. */
  readonly stack: string;
  /** Every name of its things in the engine begins so. */
  readonly prefix: string;
  /** Writes the stack's settings; the kind of server and the shop's databases and seeds are filled in. What Pulumi put into the file is kept. */
  configure(settings?: Record<string, unknown>): Promise<void>;
  /** Runs `pgw` on the stack to its end. */
  pgw(...args: string[]): Promise<Finished>;
  /** The same, and an answer that is no success ends the test with everything that was printed. */
  succeed(...args: string[]): Promise<Finished>;
  /** One statement as a role, with the URL that `pgw url` prints. */
  query<Row extends QueryResultRow>(role: string, sql: string): Promise<Row[]>;
}

const all: { clone: Clone; prefix: string; stack: string }[] = [];

// Here and not where one is made: what is registered while a hook runs is never called.
afterAll(async () => {
  for (const { clone, prefix, stack } of all) {
    await removeUnnamed(stack);
    await removeNamed(prefix);
    await clone.remove();
  }
});

/** What was made for a moment's work by a run that failed: it has a name of Docker's own. */
async function removeUnnamed(stack: string): Promise<void> {
  const docker = dockerClient();
  const left = await docker.listContainers({ all: true, filters: { label: [`pgroundwork.stack=${stack}`] } });
  for (const { Id } of left) await docker.getContainer(Id).remove({ force: true, v: true });
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
    async query<Row extends QueryResultRow>(role: string, sql: string) {
      const { stdout } = await made.succeed("url", "--role", role);
      const url = new URL(stdout.trim());
      const password = decodeURIComponent(url.password);
      url.password = "";
      const connection = fromUrl(url.href, { PGPASSWORD: password });
      return withClient(connection, async (client) => (await client.query<Row>(sql)).rows);
    },
  };
  await made.configure();
  return made;
}
