import { describe, expect, it } from "vitest";
import { type Properties, unknownValue } from "../../../../../infra/provider-protocol/values.ts";
import { declared } from "../../../../fallback-provider-process.ts";
import { callContext, recorded, recordedResources, typeOf, types } from "./recorded-states.ts";

/** Returns changes as the engine shows them: `+key`, `-key`, `~key`, with `!` for a replacement. */
async function changesOf(name: string, altered: Properties, dropped: string[] = [], drift: Properties = {}) {
  const resource = await recorded(name);
  const resourceType = await typeOf(resource.type);
  const news = { ...declared(resource.inputs), ...altered };
  for (const key of dropped) delete news[key];
  const checked = await resourceType.check(callContext(name), news, resource.inputs);
  expect(checked.failures).toEqual([]);
  const old = { ...resource, outputs: { ...resource.outputs, ...drift } };
  const diff = await resourceType.diff(callContext(name), old, checked.inputs);
  const signs = { add: "+", delete: "-", update: "~" };
  return {
    changes: diff.changes.map(({ kind, path, replace }) => `${signs[kind]}${path}${replace ? "!" : ""}`),
    deleteBeforeReplace: diff.deleteBeforeReplace,
  };
}

describe("a state of the official docker plugin", async () => {
  const bridged = (await recordedResources()).filter(({ type }) => type !== types.image);

  it.each(bridged)("gets the same inputs for $stack/$name ($type) and shows no changes", async (resource) => {
    const type = await typeOf(resource.type);
    const context = callContext(resource.name);
    const checked = await type.check(context, declared(resource.inputs), resource.inputs);
    expect(checked).toEqual({ inputs: resource.inputs, failures: [] });
    expect((await type.diff(context, resource, checked.inputs)).changes).toEqual([]);
  });

  it.each((await recordedResources()).filter(({ type }) => type === types.image))(
    "shows no changes of the image $stack/$name in the project with its files",
    async (resource) => {
      const type = await typeOf(resource.type);
      expect(await type.diff(callContext(resource.name), resource, resource.inputs)).toEqual({ changes: [] });
      // Without the engine's inputs, the plugin uses the official copy in the outputs.
      const old = { ...resource, inputs: {} };
      expect(await type.diff(callContext(resource.name), old, resource.inputs)).toEqual({ changes: [] });
    },
  );

  it("shows no changes after its refresh wrote empty values as [] and {}, and sorted sets", async () => {
    const empty = { dns: [], groupAdds: [], logOpts: {}, storageOpts: {}, sysctls: {}, tmpfs: {}, dnsOpts: [] };
    expect((await changesOf("probe-ctr", {}, [], empty)).changes).toEqual([]);
    expect((await changesOf("probe-net", {}, [], { ipamOptions: {}, labels: null })).changes).toEqual([]);
    expect((await changesOf("probe-vol", {}, [], { driverOpts: {}, labels: null })).changes).toEqual([]);
    const envs = { envs: ["B=2", "A=1"] };
    expect((await changesOf("probe-ctr", envs, [], { envs: ["A=1", "B=2"] })).changes).toEqual([]);
  });

  it("shows no changes without the official delta and with outputs of another version", async () => {
    const resource = await recorded("probe-ctr");
    const outputs: Properties = { ...resource.outputs, outputOfLater: 1 };
    for (const key of ["__pulumi_raw_state_delta", "__meta", "gpus", "cgroupParent"]) delete outputs[key];
    const type = await typeOf(types.container);
    expect((await type.diff(callContext("probe-ctr"), { ...resource, outputs }, resource.inputs)).changes).toEqual([]);
  });
});

describe("one changed input", () => {
  it.each([
    ["probe-ctr", { name: "other" }, ["~name!"]],
    ["probe-ctr", { image: "other:v1" }, ["~image!"]],
    ["probe-ctr", { envs: ["GREETING=bye"] }, ["~envs!"]],
    ["probe-ctr", { command: ["serve"] }, ["+command!"]],
    ["probe-ctr", { entrypoints: ["/other"] }, ["~entrypoints!"]],
    ["probe-ctr", { labels: [{ label: "com.example", value: "y" }] }, ["~labels!"]],
    ["probe-ctr", { hostname: "web" }, ["~hostname!"]],
    ["probe-ctr", { user: "999:999" }, ["+user!"]],
    ["probe-ctr", { init: true }, ["~init!"]],
    ["probe-ctr", { restart: "always" }, ["~restart"]],
    ["probe-ctr", { restart: "on-failure", maxRetryCount: 3 }, ["~restart", "~maxRetryCount"]],
    ["probe-ctr", { memory: 64, memorySwap: 64 }, ["~memory", "~memorySwap"]],
    ["both-ctr", { memory: 128 }, ["~memory"]],
    ["probe-ctr", { cpuShares: 512 }, ["~cpuShares"]],
    ["probe-ctr", { cpuSet: "0" }, ["+cpuSet"]],
    ["probe-ctr", { cpus: "0.5" }, ["+cpus!"]],
    ["probe-ctr", { shmSize: 128 }, ["~shmSize!"]],
    ["probe-ctr", { wait: true, waitTimeout: 30 }, ["~wait", "~waitTimeout"]],
    ["probe-ctr", { destroyGraceSeconds: 30, removeVolumes: false }, ["~removeVolumes", "+destroyGraceSeconds"]],
    ["probe-ctr", { ports: [{ internal: 8080, external: 58081, ip: "127.0.0.1" }] }, ["~ports!"]],
    ["probe-ctr", { networksAdvanced: [{ name: "probe-net", aliases: ["web", "www"] }] }, ["~networksAdvanced!"]],
    ["probe-ctr", { volumes: [{ volumeName: "probe-vol", containerPath: "/data", readOnly: true }] }, ["~volumes!"]],
    ["probe-ctr", { mounts: [{ type: "tmpfs", target: "/tmp" }] }, ["+mounts!"]],
    ["probe-ctr", { tmpfs: { "/tmp": "size=1m" } }, ["+tmpfs!"]],
    ["probe-ctr", { healthcheck: { tests: ["CMD", "true"] } }, ["+healthcheck!"]],
    ["probe-ctr", { uploads: [{ file: "/x", content: "y" }] }, ["+uploads!"]],
    ["probe-ctr", { capabilities: { drops: ["ALL"] } }, ["+capabilities!"]],
    ["probe-ctr", { securityOpts: ["no-new-privileges"] }, ["+securityOpts!"]],
    ["probe-ctr", { readOnly: true }, ["~readOnly!"]],
    ["both-ctr", { uploads: [{ file: "/etc/x", content: "ho", owner: "0", group: "0" }] }, ["~uploads!"]],
    ["probe-net", { driver: "macvlan" }, ["~driver!"]],
    ["probe-net", { internal: true }, ["~internal!"]],
    ["probe-net", { ipamConfigs: [{ subnet: "10.9.0.0/24" }] }, ["~ipamConfigs!"]],
    ["probe-net", { labels: [{ label: "a", value: "b" }] }, ["+labels!"]],
    ["probe-vol", { driver: "nfs" }, ["~driver!"]],
    ["probe-vol", { driverOpts: { type: "tmpfs" } }, ["+driverOpts!"]],
  ] as [string, Properties, string[]][])("of %s, %o, is shown as that change", async (name, altered, changes) => {
    expect((await changesOf(name, altered)).changes).toEqual(changes);
  });

  it("that is left out again keeps values of image and engine, and resets the others", async () => {
    expect((await changesOf("probe-ctr2", {}, ["command"])).changes).toEqual([]);
    expect((await changesOf("both-ctr", {}, ["memory"])).changes).toEqual(["-memory!"]);
    expect((await changesOf("probe-ctr", {}, ["ports"])).changes).toEqual(["-ports!"]);
    expect((await changesOf("probe-ctr", {}, ["restart"])).changes).toEqual(["~restart"]);
  });

  it("that is unknown is shown as a change, also inside a list", async () => {
    expect((await changesOf("probe-ctr", { image: unknownValue })).changes).toEqual(["~image!"]);
    const volumes = [{ volumeName: unknownValue, containerPath: "/data" }];
    expect((await changesOf("probe-ctr", { volumes })).changes).toEqual(["~volumes!"]);
    expect((await changesOf("probe-ctr", { networksAdvanced: unknownValue })).changes).toEqual(["~networksAdvanced!"]);
  });

  it("deletes the old resource before its replacement only if the program gave it a name", async () => {
    expect((await changesOf("probe-ctr", { image: "other:v1" })).deleteBeforeReplace).toBe(true);
    expect((await changesOf("probe-net", { internal: true })).deleteBeforeReplace).toBe(true);
    expect((await changesOf("both-ctr", { image: "other:v1" })).deleteBeforeReplace).toBe(false);
  });
});

describe("equivalent values", () => {
  it("are no change: durations, CPUs, entries in any order, ports that the engine chose", async () => {
    const healthcheck = { tests: ["CMD", "/app"], interval: "0m30s" };
    expect((await changesOf("both-ctr", { healthcheck })).changes).toEqual([]);
    expect((await changesOf("probe-ctr", { cpus: "1.50" }, [], { cpus: "1.5" })).changes).toEqual([]);
    const [a, b] = [
      { label: "a", value: "1" },
      { label: "b", value: "2" },
    ];
    expect((await changesOf("probe-ctr", { labels: [b, a] }, [], { labels: [a, b] })).changes).toEqual([]);
    const chosen = { internal: 80, ip: "0.0.0.0", protocol: "tcp", external: 49_153 };
    const given = { ...chosen, external: 8080 };
    const ports = [{ internal: 80 }, { internal: 80, external: 8080 }];
    expect((await changesOf("probe-ctr", { ports }, [], { ports: [given, chosen] })).changes).toEqual([]);
    expect((await changesOf("probe-ctr", { ports }, [], { ports: [chosen, given] })).changes).toEqual([]);
  });

  it("do not include a command in another order", async () => {
    const drift = { command: ["300", "sleep"] };
    expect((await changesOf("probe-ctr2", {}, [], drift)).changes).toEqual(["~command!"]);
  });
});

describe("a container found stopped", () => {
  it("is replaced by the next up", async () => {
    expect(await changesOf("probe-ctr", {}, [], { mustRun: false })).toEqual({
      changes: ["~mustRun!"],
      deleteBeforeReplace: true,
    });
  });

  it("is left alone if the program does not require it to run", async () => {
    expect((await changesOf("probe-ctr", { mustRun: false }, [], { mustRun: false })).changes).toEqual([]);
    expect((await changesOf("probe-ctr", { mustRun: false })).changes).toEqual(["~mustRun"]);
  });
});

describe("a preview of the docker fallback provider", () => {
  it("answers creates with the known values, and with unknown ones that the engine chooses", async () => {
    const type = await typeOf(types.container);
    const { inputs } = await recorded("both-ctr");
    const created = await type.create(callContext("both-ctr"), inputs, true);
    expect(created.id).toBe("");
    expect(created.outputs).toMatchObject({
      name: inputs.name,
      image: inputs.image,
      hostname: unknownValue,
      networkDatas: unknownValue,
      ports: [{ internal: 8080, ip: "0.0.0.0", protocol: "tcp", external: unknownValue }],
      dns: null,
      devices: [],
    });
  });

  it("answers updates with the unchanged values, without the official delta", async () => {
    const type = await typeOf(types.container);
    const container = await recorded("both-ctr");
    const updated = await type.update(callContext("c"), container, { ...container.inputs, restart: "always" }, true);
    const { __pulumi_raw_state_delta: _, ...outputs } = container.outputs;
    expect(updated).toEqual({ ...outputs, restart: "always" });
  });
});
