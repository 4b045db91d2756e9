import getPort from "get-port";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settingsReference } from "../../../../infra/settings.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { postgresImage } from "../../postgres-image.ts";
import { SocketProxy } from "../../socket-proxy.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();
const proxy = new SocketProxy();

type Settings = Record<string, unknown>;

/** A changed value for every setting that only such a server has; each try goes on from where the one before it ended. */
const tries: Readonly<Record<string, () => Settings | Promise<Settings>>> = {
  cpus: () => ({ cpus: 1 }),
  shmSize: () => ({ shmSize: 300 }),
  dockerHost: () => ({ dockerHost: proxy.host }),
  bindAddress: () => ({ bindAddress: "0.0.0.0", host: "127.0.0.1" }),
  host: () => ({ host: "localhost" }),
  // The image that has PostGIS is another; one that is given is not built.
  image: async () => ({ image: await postgresImage() }),
  postgis: () => ({ image: undefined, postgis: true }),
  monitoring: async () => ({ monitoring: { prometheusPort: await getPort() } }),
  backups: () => ({ backups: true }),
};

const reference = settingsReference().filter(({ servers }) => servers.join() === "docker");

describe("a setting's effect in the reference, on a server in a container", () => {
  let shop: DockerStack;
  let current: Settings = {};
  let started: string;

  const startedAt = async () => (await docker.getContainer(`${shop.prefix}-postgres`).inspect()).State.StartedAt;

  beforeAll(async () => {
    await proxy.come();
    shop = await makeDockerStack();
    await shop.succeed("up");
    started = await startedAt();
  });
  afterAll(() => proxy.goAway());

  it.each(reference.map(({ name, effect }) => [name, effect] as const))("%s: %s", async (name, effect) => {
    const changed = { ...current, ...(await tries[name]?.()) };
    current = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
    await shop.configure(current);
    expect(tries[name]).toBeDefined();
    expect((await shop.succeed("up")).stdout).not.toMatch(/^no changes/m);
    const now = await startedAt();
    expect(now === started ? "none" : "restart").toBe(effect);
    started = now;
  });

  it("is had once: another up changes nothing", async () => {
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });
});
