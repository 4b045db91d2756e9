import { describe, expect, it } from "vitest";
import { type Properties, unknownValue } from "../../../../../infra/plugin/values.ts";
import { callContext, typeOf, types } from "./recorded-states.ts";

async function faults(token: string, inputs: Properties) {
  const type = await typeOf(token);
  const { failures = [] } = await type.check(callContext("x"), inputs, undefined);
  return failures.map(({ reason }) => reason);
}

const container = (inputs: Properties) => faults(types.container, { image: "debian", ...inputs });

describe("inputs", () => {
  it("refuses an unknown one by name, within others too, with those there are", async () => {
    expect(await faults(types.volume, { nmae: "x" })).toEqual([
      'Volume has no input "nmae"; it has name, driver, driverOpts, labels',
    ]);
    expect(await container({ ports: [{ internal: 80 }, { intern: 80 }] })).toEqual([
      'Container.ports[1] has no input "intern"; it has internal, external, ip, protocol',
      'Container needs "ports[1].internal"',
    ]);
  });

  it("refuses what the official plugin has and this one has not, with the reason", async () => {
    expect(await container({ attach: true, gpus: "all", devices: [{ hostPath: "/dev/fuse" }] })).toEqual([
      "Container.attach is not supported here: a container is started and left running",
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
      "Container.volumes[0].hostPath is not supported here: the engine may be another machine, which has not this one's files",
      'Container needs "volumes[0].volumeName"',
      `Container.mounts[0].type must be volume or tmpfs, and is "bind": the engine may be another machine, which has not this one's files`,
    ]);
  });

  it("reports every fault of values at once", async () => {
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
      'Container.restart must be one of no, on-failure, always, unless-stopped, and is "sometimes"',
      'Container.cpus must be a number above 0 as text, and is "many"',
      "Container.ports[0].internal must be 65535 or less, and is 70000",
      'Container.ports[0].protocol must be one of tcp, udp, sctp, and is "icmp"',
      'Container.healthcheck.interval must be a duration (30s, 1m30s), and is "30 s"',
      "Container.envs must be a list of NAME=value",
      'Container.uploads[0].file must be an absolute path, and is "etc/x"',
      'Container.uploads[0].owner must be a number, and is "postgres": names differ between machines',
      'Container.uploads[0].permissions must be octal (0640), and is "rw"',
      "Container.tmpfs must be an object of strings",
    ]);
  });

  it("refuses values that do not go together", async () => {
    expect(await container({ memorySwap: 64 })).toEqual(["Container.memorySwap needs memory"]);
    expect(await container({ memory: 128, memorySwap: 64 })).toEqual([
      "Container.memorySwap is memory and swap together: it must be 128 or more, and is 64",
    ]);
    expect(await container({ uploads: [{ file: "/x", content: "a", source: "b" }, { file: "/y" }] })).toEqual([
      "Container.uploads[0] needs exactly one of content, contentBase64 and source",
      "Container.uploads[1] needs exactly one of content, contentBase64 and source",
    ]);
    expect(await container({ mounts: [{ type: "volume", target: "/x" }] })).toEqual([
      "Container.mounts[0].source is needed for a volume",
    ]);
  });

  it("accepts values that are not known yet", async () => {
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

  it("makes up a name of the logical one where none is given, and keeps it", async () => {
    const type = await typeOf(types.container);
    const first = await type.check(callContext("web"), { image: "debian" }, undefined);
    expect(first.inputs.name).toMatch(/^web-[0-9a-f]{7}$/);
    const second = await type.check(callContext("web"), { image: "debian" }, first.inputs);
    expect(second.inputs).toEqual(first.inputs);
  });
});

describe("default inputs", () => {
  it("are the official ones, each object with a list of its own", async () => {
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
