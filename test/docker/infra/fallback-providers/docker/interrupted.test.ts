import { describe, expect, it } from "vitest";
import { runInContainer } from "../../../../../scripts/docker/run-in-container.ts";
import { freePort } from "../../../../support/free-port.ts";
import { dockerObjects } from "../../../docker-objects.ts";
import {
  image,
  messageOf,
  ownerLabels,
  sharedDockerFallbackProvider,
  startDockerFallbackProvider,
} from "./fallback-provider.ts";
import { itIsAdoptedAfterKills } from "./killed-creation.ts";

const objects = dockerObjects();
const { docker } = objects;
const plugin = sharedDockerFallbackProvider();

const sleeping = { image, command: ["sleep", "600"], init: true, labels: ownerLabels("dev") };

const failing = (inputs: Record<string, unknown>) => messageOf(plugin.create("Container", "c", inputs));

describe("a container left by an interrupted run", () => {
  it("is adopted if it is as declared, and started if it is stopped", async () => {
    const inputs = { ...sleeping, name: objects.name("left"), waitTimeout: 30, destroyGraceSeconds: 1 };
    const first = await plugin.create("Container", "c", inputs);
    const again = await plugin.create("Container", "c", inputs);
    expect(again).toEqual(first);
    await docker.getContainer(first.id).stop({ t: 0 });
    const started = await plugin.create("Container", "c", inputs);
    expect(started.id).toBe(first.id);
    expect((await docker.getContainer(first.id).inspect()).State.Running).toBe(true);
  });

  it("is created again if it is not as declared or was never started", async () => {
    const name = objects.name("old");
    const first = await plugin.create("Container", "c", { ...sleeping, name });
    const other = await plugin.create("Container", "c", { ...sleeping, name, hostname: "other" });
    expect(other.id).not.toBe(first.id);
    await expect(docker.getContainer(first.id).inspect()).rejects.toThrow("No such container");

    const half = objects.name("half");
    const labels = Object.fromEntries(sleeping.labels.map(({ label, value }) => [label, value as string]));
    const made = await docker.createContainer({ name: half, Image: image, Cmd: ["sleep", "600"], Labels: labels });
    const whole = await plugin.create("Container", "c", {
      ...sleeping,
      name: half,
      uploads: [{ file: "/x", content: "y" }],
    });
    expect(whole.id).not.toBe(made.id);
  });

  it("is refused by name if it has no owner's labels, or another owner's", async () => {
    const name = objects.name("foreign");
    const foreign = await docker.createContainer({ name, Image: image, Cmd: ["true"] });
    expect(await failing({ ...sleeping, name })).toContain(
      `Container "${name}" already exists on the Docker engine of this machine. This stack did not create it.`,
    );
    expect((await foreign.inspect()).State.Status).toBe("created");
    const prod = await plugin.create("Container", "c", {
      ...sleeping,
      name: objects.name("prod"),
      labels: ownerLabels("prod"),
    });
    expect(await failing({ ...sleeping, name: prod.outputs.name })).toContain(
      'belongs to stack "prod" of project "fallback-provider-tests"',
    );
    expect((await docker.getContainer(prod.id).inspect()).State.Running).toBe(true);
  });

  // test/soak/infra/fallback-providers/docker/interrupted.test.ts has other delays.
  itIsAdoptedAfterKills([400], objects, plugin);

  it("is created once by two runs at the same time", async () => {
    const other = await startDockerFallbackProvider();
    const shared = { name: objects.name("shared"), labels: ownerLabels("dev") };
    const networks = await Promise.all([plugin.create("Network", "n", shared), other.create("Network", "n", shared)]);
    expect(networks[0].id).toBe(networks[1].id);
    const inputs = {
      ...sleeping,
      name: objects.name("twice"),
      networksAdvanced: [{ name: shared.name }],
      uploads: [{ file: "/x", content: "y" }],
    };
    const [one, two] = await Promise.all([
      plugin.create("Container", "c", inputs),
      other.create("Container", "c", inputs),
    ]);
    expect(one?.id).toBe(two?.id);
    await Promise.all([plugin.delete(one), other.delete(two)]);
    await other.stop();
  });
});

describe("a server that is not healthy in time", () => {
  it("keeps running, and the next run adopts it", async () => {
    const inputs = {
      ...sleeping,
      name: objects.name("slow"),
      healthcheck: { tests: ["CMD-SHELL", "test -f /ready"], interval: "200ms", retries: 100 },
      wait: true,
      waitTimeout: 1,
    };
    expect(await failing(inputs)).toContain("It keeps running. Run `up` again to wait longer");
    const [left] = await docker.listContainers({ filters: { name: [inputs.name] } });
    await runInContainer(docker, left?.Id ?? "", { command: ["touch", "/ready"] });
    const made = await plugin.create("Container", "c", { ...inputs, waitTimeout: 20 });
    expect(made.id).toBe(left?.Id);
  });
});

describe("a Docker engine that does not answer", () => {
  it("fails a check at once, in one sentence that names it", async () => {
    const socket = await startDockerFallbackProvider({ host: "unix:///nowhere/docker.sock" });
    await expect(socket.check("Volume", "v", { name: "x" })).rejects.toThrow(
      "No Docker engine answers on unix:///nowhere/docker.sock: ENOENT.\n  Start the Docker engine",
    );
    await socket.stop();
    const port = await freePort();
    const tcp = await startDockerFallbackProvider({ host: `tcp://127.0.0.1:${port}` });
    await expect(tcp.check("Container", "c", { image })).rejects.toThrow(
      `No Docker engine answers on tcp://127.0.0.1:${port}: ECONNREFUSED.`,
    );
    await tcp.stop();
  });

  it("is not asked if the program says so; unsupported configuration is refused", async () => {
    const quiet = await startDockerFallbackProvider({
      host: "unix:///nowhere/docker.sock",
      disableDockerDaemonCheck: "true",
    });
    expect(await quiet.check("Volume", "v", { name: "x" })).toMatchObject({ name: "x" });
    await quiet.stop();
    const context = await startDockerFallbackProvider({ context: "remote" });
    await expect(context.check("Volume", "v", { name: "x" })).rejects.toThrow(
      'The docker fallback provider does not support the configuration "context".',
    );
    await context.stop();
  });
});
