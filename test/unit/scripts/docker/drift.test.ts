import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import { hasDrifted, viewStack } from "../../../../scripts/docker/drift.ts";

const container = (Id: string, State = "running", Networks: object = { bridge: {} }) => ({
  Id,
  State,
  NetworkSettings: { Networks },
});
const network = { Id: "network" };
const volume = (Name: string) => ({ Name });

const containerResource = (id: string) => ({ type: "docker:index/container:Container", id });
/** State of a stack with a server and a sidecar. */
const state = [
  { type: "pulumi:pulumi:Stack" },
  { type: "docker:index/network:Network", id: "network" },
  { type: "docker:index/volume:Volume", id: "data", outputs: { name: "data" } },
  { type: "docker:index/volume:Volume", id: "prometheus-config", outputs: { name: "prometheus-config" } },
  containerResource("server"),
  containerResource("prometheus"),
];
const volumes = [volume("data"), volume("prometheus-config")];
const both = [container("server"), container("prometheus")];

/** Compares a state with a Docker engine that gives the answers that the kit needs. */
async function drift(
  resources: typeof state,
  engine: { containers?: object[]; networks?: object[]; volumes?: object[] },
) {
  const docker = {
    listContainers: async () => engine.containers ?? both,
    listNetworks: async () => engine.networks ?? [network],
    listVolumes: async () => ({ Volumes: engine.volumes ?? volumes }),
  } as unknown as Docker;
  return hasDrifted(await viewStack(docker, { project: "shop", stack: "dev" }), resources);
}

describe("a stack in a Docker engine", () => {
  it.each([
    ["everything in its state exists and runs", {}],
    ["a temporary container has exited", { containers: [...both, container("scratch", "exited")] }],
    ["the engine has volumes that are in no state", { volumes: [...volumes, volume("backup")] }],
    [
      "a sidecar was created without a network",
      { containers: [container("server"), container("prometheus", "running", { none: {} })] },
    ],
  ])("has not drifted if %s", async (_when, engine) => {
    expect(await drift(state, engine)).toBe(false);
  });

  it.each([
    ["its server is missing", { containers: [container("prometheus")] }],
    ["its server has stopped", { containers: [container("server", "exited"), container("prometheus")] }],
    ["its server keeps restarting", { containers: [container("server", "restarting"), container("prometheus")] }],
    ["its server is not in a network", { containers: [container("server", "running", {}), container("prometheus")] }],
    ["a sidecar is missing", { containers: [container("server")] }],
    ["a sidecar is missing together with its volume", { containers: [container("server")], volumes: [volume("data")] }],
    ["a sidecar has stopped", { containers: [container("server"), container("prometheus", "exited")] }],
    ["a sidecar was replaced by hand", { containers: [container("server"), container("other")] }],
    ["its network is missing", { networks: [] }],
    ["its data is missing", { volumes: [volume("prometheus-config")] }],
  ])("has drifted if %s", async (_when, engine) => {
    expect(await drift(state, engine)).toBe(true);
  });

  it("has not drifted if its state is empty, whatever the engine has", async () => {
    expect(await drift([], {})).toBe(false);
  });

  it("has not drifted if an unfinished replacement removed a container", async () => {
    const half = [
      ...state,
      { ...containerResource("old"), delete: true },
      { ...containerResource("gone"), pendingReplacement: true },
    ];
    expect(await drift(half, {})).toBe(false);
  });

  it("has no volumes if the engine answers null", async () => {
    const docker = {
      listContainers: async () => [],
      listNetworks: async () => [],
      listVolumes: async () => ({ Volumes: null }),
    } as unknown as Docker;
    expect((await viewStack(docker, { project: "shop", stack: "dev" })).volumes).toEqual(new Set());
  });
});
