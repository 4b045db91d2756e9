import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { version } from "../../../../../infra/fallback-providers/docker/plugin.ts";
import type { Properties } from "../../../../../infra/provider-protocol/values.ts";
import { startStack, type TestStack } from "../../../../fallback-provider-stack.ts";
import { recordedDeployment, recordedResourcesOf, sealedInState } from "../../../../recorded-resources.ts";
import { dockerObjects } from "../../../docker-objects.ts";
import { image as baseImage, messageOf } from "./fallback-provider.ts";

const objects = dockerObjects();
const engine = objects.docker;
const { prefix } = objects;
const [projectName, stackName] = ["probe-dk", "dev"];
const imageName = `${prefix}-image:v1`;

let folder: string;
let test: TestStack;

/** Values of the program that tests change. */
const settings = { restart: "no", greeting: "hello" };

const token = "hush-hush-hush";
const everything = 6;

/** Declares a stack like the kit's: every type of resource, and its own provider. */
async function program(): Promise<void> {
  const provider = new docker.Provider("docker", {});
  const options = { provider };
  const labels = [
    { label: "pgroundwork.project", value: projectName },
    { label: "pgroundwork.stack", value: prefix },
  ];
  const image = new docker.Image(
    "image",
    {
      imageName,
      skipPush: true,
      build: { context: folder, platform: "linux/amd64", args: { TOKEN: pulumi.secret(token) } },
    },
    options,
  );
  const network = new docker.Network("network", { name: `${prefix}-net`, driver: "bridge", labels }, options);
  const volume = new docker.Volume("volume", { name: `${prefix}-data`, labels }, options);
  new docker.Container(
    "container",
    {
      name: `${prefix}-server`,
      image: image.repoDigest,
      command: ["sleep", "600"],
      init: true,
      restart: settings.restart,
      envs: [pulumi.secret(`TOKEN=${token}`), "PLAIN=1"],
      labels,
      networksAdvanced: [{ name: network.name, aliases: ["db"] }],
      ports: [{ internal: 5432, ip: "127.0.0.1" }],
      volumes: [{ volumeName: volume.name, containerPath: "/data" }],
      uploads: [{ file: "/etc/greeting", content: settings.greeting }],
      healthcheck: { tests: ["CMD", "test", "-f", "/etc/greeting"], interval: "1s", retries: 3 },
      wait: true,
      memory: 64,
      memorySwap: 64,
      destroyGraceSeconds: 2,
    },
    options,
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pgw-context-"));
  await writeFile(join(folder, "Dockerfile"), `FROM ${baseImage}\nCOPY version /\n`);
  await writeFile(join(folder, "version"), "1\n");
  test = await startStack({ projectName, stackName, fallbackProviders: [{ name: "docker", version }], program });
});
afterAll(async () => {
  await test?.remove();
  await rm(folder, { recursive: true, force: true });
  await objects.remove();
  const left = await engine.listImages({ filters: { reference: [imageName] } });
  await Promise.all(left.map(({ Id }) => engine.getImage(Id).remove({ force: true })));
});

const server = () => engine.getContainer(`${prefix}-server`);

describe("a stack with the docker fallback provider, under the real engine", () => {
  it("shows no change in a preview after the official plugin", async () => {
    const deployment = await test.stack.exportStack();
    const recorded = await official();
    const recordedProgram = await startStack({
      projectName,
      stackName,
      fallbackProviders: [{ name: "docker", version }],
      program: officialProgram,
    });
    const resources = { ...deployment, deployment: { ...deployment.deployment, ...recorded } };
    await recordedProgram.stack.importStack(resources);
    expect((await recordedProgram.stack.preview()).changeSummary).toEqual({ same: recorded.resources.length - 1 });
    await recordedProgram.remove();
  });

  it("comes up, and then has no change on the next up or after a refresh", async () => {
    expect((await test.stack.preview()).changeSummary).toEqual({ create: everything });
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ create: everything });
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ same: everything });
    expect((await test.stack.refresh()).summary.resourceChanges).toEqual({ same: everything });
    expect((await test.stack.preview()).changeSummary).toEqual({ same: everything });
    expect((await server().inspect()).State.Health?.Status).toBe("healthy");
  });

  it("keeps secrets out of its state", async () => {
    const state = await test.stateOnDisk();
    expect(state).toContain('"docker:index/container:Container"');
    expect(state).not.toContain(token);
  });

  it("updates a container in place where possible", async () => {
    const { Id } = await server().inspect();
    settings.restart = "unless-stopped";
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ same: everything - 1, update: 1 });
    expect(await server().inspect()).toMatchObject({ Id, HostConfig: { RestartPolicy: { Name: "unless-stopped" } } });
  });

  it("repairs a container that was stopped or removed by hand", async () => {
    const { Id } = await server().inspect();
    await server().stop({ t: 0 });
    await test.stack.refresh();
    expect((await test.stack.preview()).changeSummary).toMatchObject({ replace: 1, same: everything - 1 });
    await test.stack.up();
    const replaced = await server().inspect();
    expect(replaced.Id).not.toBe(Id);
    expect(replaced.State.Running).toBe(true);

    await server().remove({ force: true });
    await test.stack.refresh();
    expect((await test.stack.preview()).changeSummary).toEqual({ create: 1, same: everything - 1 });
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ create: 1, same: everything - 1 });
    expect((await server().inspect()).State.Running).toBe(true);
  });

  it("replaces a container if its image was built from other files, as the preview shows", async () => {
    const before = (await server().inspect()).Image;
    await writeFile(join(folder, "version"), "2\n");
    expect((await test.stack.preview()).changeSummary).toMatchObject({ update: 1, replace: 1 });
    expect((await test.stack.up()).summary.resourceChanges).toMatchObject({ update: 1, replace: 1 });
    expect((await server().inspect()).Image).toBe((await engine.getImage(imageName).inspect()).Id);
    await engine.getImage(before).remove({ force: true });
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ same: everything });
  });

  it("adopts what it made after its state was lost", async () => {
    const deployment = await test.stack.exportStack();
    const before = await server().inspect();
    await test.stack.importStack({ ...deployment, deployment: { ...deployment.deployment, resources: [] } });
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ create: everything });
    expect((await server().inspect()).Id).toBe(before.Id);
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ same: everything });
  });

  it("adopts a container whose plugin was killed while waiting for it", async () => {
    await server().remove({ force: true });
    await test.stack.refresh();
    const interrupted = messageOf(test.stack.up());
    const started = await startedServer();
    await killPlugins();
    expect(await interrupted).toContain("exited prematurely");
    await test.stack.up();
    expect((await server().inspect()).Id).toBe(started);
    expect((await test.stack.up()).summary.resourceChanges).toEqual({ same: everything });
  });

  it("says in one sentence that no engine answers", async () => {
    process.env.DOCKER_HOST = "unix:///nowhere/docker.sock";
    const message = await messageOf(test.stack.preview());
    delete process.env.DOCKER_HOST;
    const [diagnostics = ""] = message.split("Diagnostics:")[1]?.split("Resources:") ?? [];
    const sentence = "No Docker engine answers on unix:///nowhere/docker.sock: ENOENT.";
    expect(diagnostics.split(sentence)).toHaveLength(2);
    expect(diagnostics).not.toMatch(/\.(ts|js|go):\d+/);
  });

  it("leaves only its image after destroy", async () => {
    await test.stack.destroy();
    const filters = { name: [prefix] };
    expect(await engine.listContainers({ all: true, filters })).toEqual([]);
    expect(await engine.listNetworks({ filters })).toEqual([]);
    expect((await engine.listVolumes({ filters })).Volumes ?? []).toEqual([]);
    expect(await engine.listImages({ filters: { reference: [imageName] } })).toHaveLength(1);
  });
});

/** Returns the id of the server's container once it runs, before it is healthy. */
async function startedServer(): Promise<string> {
  return vi.waitFor(
    async () => {
      const { Id, State } = await server().inspect();
      expect(State).toMatchObject({ Running: true, Health: { Status: "starting" } });
      return Id;
    },
    { timeout: 60_000, interval: 50 },
  );
}

/** Kills the fallback providers among this process's descendants. */
async function killPlugins(): Promise<void> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid=,args="]);
  const table = stdout.split("\n").map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line));
  const entries = table.flatMap((match) =>
    match === null ? [] : [{ pid: Number(match[1]), parent: Number(match[2]), args: match[3] ?? "" }],
  );
  const descends = (pid: number): boolean => {
    const parent = entries.find((entry) => entry.pid === pid)?.parent ?? 0;
    return parent === process.pid || (parent > 1 && descends(parent));
  };
  const plugins = entries.filter(
    ({ pid, args }) => args.includes("infra/fallback-providers/docker/main.ts") && descends(pid),
  );
  expect(plugins).not.toEqual([]);
  for (const { pid } of plugins) process.kill(pid, "SIGKILL");
}

/** The program whose state under the official plugin was recorded. */
async function officialProgram(): Promise<void> {
  const image = "sha256:245c220a1c9fbebee5244766dcbc052d68e5bfddec596b82d4401c82019388f5";
  const volume = new docker.Volume("probe-vol", { name: "probe-vol" });
  const network = new docker.Network("probe-net", { name: "probe-net", driver: "bridge" });
  const envs = pulumi.secret(["TOKEN=recorded-token"]);
  new docker.Container("probe-ctr2", { image, command: ["sleep", "300"], envs, mustRun: true });
  new docker.Container("probe-ctr", {
    name: "probe-ctr",
    image: "probe-official:v1",
    envs: ["GREETING=hello"],
    labels: [{ label: "com.example", value: "x" }],
    networksAdvanced: [{ name: network.name, aliases: ["web"] }],
    ports: [{ internal: 8080, external: 58080, ip: "127.0.0.1" }],
    restart: "unless-stopped",
    volumes: [{ volumeName: volume.name, containerPath: "/data" }],
  });
}

/**
 * Returns the recorded resources as a state of this stack. Images are left out, because their files are missing here.
 */
async function official() {
  const records = (await recordedResourcesOf("docker")).filter(
    ({ stack, type }) => stack === "docker" && !type.endsWith(":Image"),
  );
  const sealed = (values: Properties) =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key,
        key === "envs" && JSON.stringify(value).includes("TOKEN") ? sealedInState(value) : value,
      ]),
    );
  const provider = {
    package: "docker",
    name: "default_5_2_0",
    id: "79580c49-50e4-4b8e-92f2-e63a30f51d9d",
    inputs: { __internal: {}, version },
    outputs: { version },
    isDeclared: false,
  };
  return recordedDeployment(
    { projectName, stackName, provider },
    records.map((record) => ({ ...record, inputs: sealed(record.inputs), outputs: sealed(record.outputs) })),
  );
}
