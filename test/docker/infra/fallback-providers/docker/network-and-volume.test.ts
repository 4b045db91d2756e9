import { describe, expect, it } from "vitest";
import { dockerObjects } from "../../../docker-objects.ts";
import {
  image,
  type Made,
  messageOf,
  officialOutputs,
  ownerLabels,
  sharedDockerFallbackProvider,
} from "./fallback-provider.ts";

const objects = dockerObjects();
const { docker } = objects;
const plugin = sharedDockerFallbackProvider();

const settled = async (made: Made, news?: Record<string, unknown>) => {
  expect(await plugin.diff(made, news)).toEqual([]);
  const read = await plugin.read(made);
  expect(read).toEqual(made);
  expect(await plugin.diff(made, news)).toEqual([]);
};

const failing = (type: string, inputs: Record<string, unknown>) => messageOf(plugin.create(type, "x", inputs));

describe("a network", () => {
  it("has the outputs of the official plugin, and shows no change", async () => {
    const name = objects.name("net");
    const made = await plugin.create("Network", "net", { name, driver: "bridge" });
    const [config] = made.outputs.ipamConfigs as { gateway: string; subnet: string }[];
    expect(made.outputs).toEqual({
      ...(await officialOutputs("probe-net")),
      id: made.id,
      name,
      ipamConfigs: [{ auxAddress: {}, gateway: config?.gateway, ipRange: "", subnet: config?.subnet }],
    });
    expect(made.id).toMatch(/^[0-9a-f]{64}$/);
    await settled(made);
    await plugin.delete(made);
    expect(await plugin.read(made)).toBeUndefined();
    await plugin.delete(made);
  });

  it("shows no change with addresses and labels of its own", async () => {
    const inputs = {
      name: objects.name("own"),
      internal: true,
      labels: [
        { label: "b", value: "2" },
        { label: "a", value: "1" },
      ],
      ipamConfigs: [{ subnet: "198.18.77.0/24" }],
      options: { "com.docker.network.bridge.enable_icc": "true" },
    };
    const made = await plugin.create("Network", "own", inputs);
    expect(await plugin.diff(made)).toEqual([]);
    const read = await plugin.read(made);
    expect(read?.outputs).toEqual(made.outputs);
    expect(await plugin.diff(read ?? made, inputs)).toEqual([]);
    expect(await failing("Network", { ...inputs, name: objects.name("overlap") })).toContain("overlaps");
    await plugin.delete(made);
  });

  it("is refused if it has another owner, and adopted if a run of this stack left it", async () => {
    const name = objects.name("name");
    const foreign = await docker.createNetwork({ Name: name });
    expect(await failing("Network", { name, labels: ownerLabels("dev") })).toContain(
      `Network "${name}" already exists on the Docker engine of this machine. This stack did not create it.`,
    );
    await foreign.remove();
    const first = await plugin.create("Network", "n", { name, labels: ownerLabels("dev") });
    expect((await plugin.create("Network", "n", { name, labels: ownerLabels("dev") })).id).toBe(first.id);
    expect(await failing("Network", { name, labels: ownerLabels("prod") })).toContain(
      'It belongs to stack "dev" of project "fallback-provider-tests", and this stack did not create it.',
    );
    const other = await plugin.create("Network", "n", { name, labels: ownerLabels("dev"), internal: true });
    expect(other.id).not.toBe(first.id);
    expect(other.outputs.internal).toBe(true);
    await plugin.delete(other);
  });
});

describe("a volume", () => {
  it("has the outputs of the official plugin, and shows no change", async () => {
    const name = objects.name("vol");
    const made = await plugin.create("Volume", "vol", { name });
    expect(made.id).toBe(name);
    expect(made.outputs).toEqual({
      ...(await officialOutputs("probe-vol")),
      id: name,
      name,
      mountpoint: expect.stringMatching(`/volumes/${name}/_data$`),
    });
    await settled(made);
    await plugin.delete(made);
    expect(await plugin.read(made)).toBeUndefined();
    await plugin.delete(made);
  });

  it("shows no change with options and labels", async () => {
    const made = await plugin.create("Volume", "tmp", {
      name: objects.name("tmp"),
      driver: "local",
      driverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m" },
      labels: [
        { label: "b", value: "2" },
        { label: "a", value: "1" },
      ],
    });
    await settled(made);
    await plugin.delete(made);
  });

  it("is refused if it has another owner, and adopted with its contents if it is this stack's", async () => {
    const name = objects.name("data");
    await docker.createVolume({ Name: name });
    expect(await failing("Volume", { name, labels: ownerLabels("dev") })).toContain(`Volume "${name}" already exists`);
    await docker.getVolume(name).remove();
    const inputs = { name, labels: ownerLabels("dev") };
    const made = await plugin.create("Volume", "v", inputs);
    const before = (await docker.getVolume(name).inspect()) as { CreatedAt?: string };
    const again = await plugin.create("Volume", "v", inputs);
    expect(again.outputs).toEqual(made.outputs);
    expect(((await docker.getVolume(name).inspect()) as { CreatedAt?: string }).CreatedAt).toBe(before.CreatedAt);
    expect(await failing("Volume", { ...inputs, driverOpts: { type: "tmpfs", device: "tmpfs" } })).toContain(
      `Volume "${name}" of this stack already exists with another driverOpts.`,
    );
    await plugin.delete(made);
  });
});

it("a network or volume that a container uses is not removed, and the error names the container", async () => {
  const network = await plugin.create("Network", "n", { name: objects.name("used") });
  const volume = await plugin.create("Volume", "v", { name: objects.name("busy") });
  const user = await plugin.create("Container", "c", {
    image,
    name: objects.name("user"),
    command: ["sleep", "600"],
    init: true,
    networksAdvanced: [{ name: network.outputs.name }],
    volumes: [{ volumeName: volume.outputs.name, containerPath: "/data" }],
  });
  await Promise.all([
    expect(plugin.delete(network)).rejects.toThrow(
      `Remove or disconnect these containers: "${String(user.outputs.name)}".`,
    ),
    expect(plugin.delete(volume)).rejects.toThrow(`cannot be removed: it is in use by "${String(user.outputs.name)}".`),
  ]);
  await plugin.delete(user);
  await plugin.delete(network);
  await plugin.delete(volume);
});
