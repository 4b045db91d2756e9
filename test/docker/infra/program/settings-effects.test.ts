import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { settingsReference } from "../../../../scripts/settings/settings.ts";
import { freePort } from "../../../support/free-port.ts";
import { postgresImage } from "../../postgres-image.ts";
import { SocketProxy } from "../../socket-proxy.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();
const proxy = new SocketProxy();

type Settings = Record<string, unknown>;

const base = `pgroundwork-test-base:${randomUUID()}`;
let shop: DockerStack;

const startedAt = async () => (await shop.inspected()).State.StartedAt;

/** Configures a release that Debian does not have. Returns the one that it has, from the error of `up`. */
async function offeredRelease(current: Settings): Promise<string> {
  await shop.configure({ ...current, postgresVersion: "17.99" });
  const started = await startedAt();
  const { code, stderr } = await shop.pgw("up");
  expect([code, await startedAt()]).toEqual([1, started]);
  const [, release] =
    /error: POSTGRES_VERSION asks for PostgreSQL 17\.99, and the distribution has (17\.\d+)\./.exec(stderr) ?? [];
  expect(release, stderr).toBeDefined();
  return String(release);
}

/**
 * A changed value for every setting that only Docker servers have. Each try starts with the result of the one before
 * it.
 */
const tries: Readonly<Record<string, (current: Settings) => Settings | Promise<Settings>>> = {
  cpus: () => ({ cpus: 1 }),
  shmSize: () => ({ shmSize: 300 }),
  dockerHost: () => ({ dockerHost: proxy.host }),
  bindAddress: () => ({ bindAddress: "0.0.0.0", host: "127.0.0.1" }),
  host: () => ({ host: "localhost" }),
  // PostGIS is in another image, and a given image is not built.
  image: async () => ({ image: await postgresImage() }),
  // Another name of the same base.
  baseImage: () => ({ image: undefined, baseImage: base }),
  // A build that fails leaves the server alone.
  postgresVersion: async (current) => ({ postgresVersion: await offeredRelease(current) }),
  postgis: () => ({ baseImage: undefined, postgresVersion: undefined, postgis: true }),
  monitoring: async () => ({ monitoring: { prometheusPort: await freePort() } }),
  pooler: () => ({ pooler: true }),
  backups: () => ({ backups: true }),
};

/** Settings that only these servers have, and one that has its effect only here. */
const reference = settingsReference()
  .filter(({ servers, effect }) => servers.join() === "docker" || effect === "restart (docker)")
  .map((setting) => ({ ...setting, effect: setting.effect.replace(" (docker)", "") }))
  .toSorted((a, b) => Object.keys(tries).indexOf(a.name) - Object.keys(tries).indexOf(b.name));

describe("the documented effect of a setting on a server in a container", () => {
  let current: Settings = {};
  let started: string;

  beforeAll(async () => {
    await proxy.come();
    const [repo = "", tag = ""] = base.split(":");
    await docker.getImage("debian:trixie-slim").tag({ repo, tag });
    shop = await makeDockerStack();
    await shop.succeed("up");
    started = await startedAt();
  });
  afterAll(async () => {
    proxy.goAway();
    await docker.getImage(base).remove();
  });

  it.each(reference.map(({ name, effect }) => [name, effect] as const))("is right for %s: %s", async (name, effect) => {
    const change = tries[name];
    if (change === undefined) throw new Error(`${name} has no changed value in this test. Add one to tries.`);
    const changed = { ...current, ...(await change(current)) };
    current = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
    await shop.configure(current);
    expect((await shop.succeed("up")).stdout).not.toMatch(/^no changes/m);
    const now = await startedAt();
    expect(now === started ? "none" : "restart").toBe(effect);
    started = now;
  });

  it("keeps the data when another release is built", async () => {
    expect(await shop.query("readonly", "select count(*)::int from product")).toEqual([{ count: 2 }]);
  });

  it("happens once: another up changes nothing", async () => {
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });
});
