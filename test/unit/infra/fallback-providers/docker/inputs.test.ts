import { describe, expect, it } from "vitest";
import { type Properties, unknownValue } from "../../../../../infra/provider-protocol/values.ts";
import { callContext, typeOf, types } from "./recorded-states.ts";

async function faults(token: string, inputs: Properties) {
  const type = await typeOf(token);
  const { failures = [] } = await type.check(callContext("x"), inputs, undefined);
  return failures.map(({ reason }) => reason);
}

const container = (inputs: Properties) => faults(types.container, { image: "debian", ...inputs });

describe("the inputs of the docker fallback provider", () => {
  it("are refused if unknown, also inside others, with the names of those that exist", async () => {
    expect(await faults(types.volume, { nmae: "x" })).toEqual([
      'Volume has no input "nmae"; it has name, driver, driverOpts, labels',
    ]);
    expect(await container({ ports: [{ internal: 80 }, { intern: 80 }] })).toEqual([
      'Container.ports[1] has no input "intern"; it has internal, external, ip, protocol',
      'Container needs "ports[1].internal"',
    ]);
  });

  it("are refused if only the official plugin supports them, with the reason", async () => {
    expect(await container({ attach: true, gpus: "all", devices: [{ hostPath: "/dev/fuse" }] })).toEqual([
      "Container.attach is not supported here: containers run detached",
      "Container.gpus is not supported here: it needs the official plugin",
      "Container.devices is not supported here: it needs the official plugin",
    ]);
    expect(await container({ attach: false, logs: false, devices: [], gpus: "" })).toEqual([]);
    expect(
      await container({
        volumes: [{ hostPath: "/srv", containerPath: "/data" }],
        mounts: [{ type: "bind", target: "/x" }],
      }),
    ).toEqual([
      "Container.volumes[0].hostPath is not supported here: the engine may run on another machine, which does not have this machine's files",
      'Container needs "volumes[0].volumeName"',
      `Container.mounts[0].type must be volume or tmpfs, but is "bind": the engine may run on another machine, which does not have this machine's files`,
    ]);
  });

  it("have all their errors reported together", async () => {
    expect(
      await container({
        name: "",
        restart: "sometimes",
        cpus: "many",
        ports: [{ internal: 70_000, protocol: "icmp" }],
        healthcheck: { tests: ["CMD", "true"], interval: "30 s" },
        envs: ["NOVALUE"],
        uploads: [{ file: "etc/x", content: "", owner: "postgres", permissions: "rw" }],
        tmpfs: { "/tmp": 1 },
      }),
    ).toEqual([
      "Container.name must not be empty",
      'Container.restart must be one of no, on-failure, always, unless-stopped, but is "sometimes"',
      'Container.cpus must be a number above 0 as a string, but is "many"',
      "Container.ports[0].internal must be 65535 or less, but is 70000",
      'Container.ports[0].protocol must be one of tcp, udp, sctp, but is "icmp"',
      'Container.healthcheck.interval must be a duration (30s, 1m30s), but is "30 s"',
      "Container.envs must be a list of NAME=value",
      'Container.uploads[0].file must be an absolute path, but is "etc/x"',
      'Container.uploads[0].owner must be a numeric id, but is "postgres": names differ between machines',
      'Container.uploads[0].permissions must be octal (0640), but is "rw"',
      "Container.tmpfs must be an object of strings",
    ]);
  });

  it("are refused if they contradict each other", async () => {
    expect(await container({ memorySwap: 64 })).toEqual(["Container.memorySwap needs memory"]);
    expect(await container({ memory: 128, memorySwap: 64 })).toEqual([
      "Container.memorySwap is the sum of memory and swap: it must be 128 or more, but is 64",
    ]);
    expect(await container({ uploads: [{ file: "/x", content: "a", source: "b" }, { file: "/y" }] })).toEqual([
      "Container.uploads[0] needs exactly one of content, contentBase64 and source",
      "Container.uploads[1] needs exactly one of content, contentBase64 and source",
    ]);
    expect(await container({ mounts: [{ type: "volume", target: "/x" }] })).toEqual([
      "Container.mounts[0].source is needed for a volume",
    ]);
  });

  it("are accepted if their values are unknown", async () => {
    expect(
      await container({
        image: unknownValue,
        memory: unknownValue,
        memorySwap: unknownValue,
        networksAdvanced: [{ name: unknownValue }],
        envs: [unknownValue],
        healthcheck: unknownValue,
        ports: [unknownValue, { internal: unknownValue }],
      }),
    ).toEqual([]);
  });

  it("get a name made of the logical one if none is given, and keep it", async () => {
    const type = await typeOf(types.container);
    const first = await type.check(callContext("web"), { image: "debian" }, undefined);
    expect(first.inputs.name).toMatch(/^web-[0-9a-f]{7}$/);
    const second = await type.check(callContext("web"), { image: "debian" }, first.inputs);
    expect(second.inputs).toEqual(first.inputs);
  });
});

describe("default inputs", () => {
  it("are the official ones, each object with its own list", async () => {
    const type = await typeOf(types.container);
    const { inputs } = await type.check(
      callContext("web"),
      { name: "web", image: "debian", ports: [{ internal: 80 }], healthcheck: { tests: ["CMD", "true"] } },
      undefined,
    );
    expect(inputs).toEqual({
      __defaults: [
        "containerReadRefreshTimeoutMilliseconds",
        "mustRun",
        "networkMode",
        "removeVolumes",
        "restart",
        "start",
        "waitTimeout",
      ],
      containerReadRefreshTimeoutMilliseconds: 15_000,
      healthcheck: {
        __defaults: ["interval", "startInterval", "startPeriod", "timeout"],
        interval: "0s",
        startInterval: "0s",
        startPeriod: "0s",
        tests: ["CMD", "true"],
        timeout: "0s",
      },
      image: "debian",
      mustRun: true,
      name: "web",
      networkMode: "bridge",
      ports: [{ __defaults: ["ip", "protocol"], internal: 80, ip: "0.0.0.0", protocol: "tcp" }],
      removeVolumes: true,
      restart: "no",
      start: true,
      waitTimeout: 60,
    });
  });
});
