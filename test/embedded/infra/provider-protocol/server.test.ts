import { join } from "node:path";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import engine_grpc_pb from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine_pb from "@pulumi/pulumi/proto/engine_pb.js";
import plugin_pb from "@pulumi/pulumi/proto/plugin_pb.js";
import provider_pb from "@pulumi/pulumi/proto/provider_pb.js";
import empty_pb from "google-protobuf/google/protobuf/empty_pb.js";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PropertyChange } from "../../../../infra/provider-protocol/resource-type.ts";
import { unknownValue } from "../../../../infra/provider-protocol/values.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { type PluginClient, type PluginProcess, sealed, startPlugin, struct, urn } from "./plugin-client.ts";

/** Messages that plugins logged to a substitute for the engine. */
const logged: { urn: string; severity: number; message: string; isStatus?: boolean }[] = [];
const engine = new Server();
let engineAddress: string;
let plugin: PluginProcess;
let client: PluginClient;

const specimen = join(cloneRoot, "test/embedded/infra/provider-protocol/specimen.ts");
const password = "hunter-number-two";

beforeAll(async () => {
  engine.addService(engine_grpc_pb.EngineService as never, {
    log: (
      call: { request: InstanceType<typeof engine_pb.LogRequest> },
      done: (error: null, answer: unknown) => void,
    ) => {
      const { request } = call;
      const isStatus = request.getEphemeral() ? { isStatus: true } : {};
      logged.push({
        urn: request.getUrn(),
        severity: request.getSeverity(),
        message: request.getMessage(),
        ...isStatus,
      });
      done(null, new empty_pb.Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    engine.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  engineAddress = `127.0.0.1:${port}`;
  plugin = await startPlugin(process.execPath, [specimen, "--logtostderr", engineAddress]);
  client = plugin.client;
  await client.configure({ key: sealed("the-key-of-all"), port: "5432" });
});
afterAll(async () => {
  await plugin?.stop();
  engine.forceShutdown();
});
beforeEach(() => {
  logged.length = 0;
});

describe("a plugin process", () => {
  it("writes only its port", async () => {
    await client.create({ name: "x" });
    expect(plugin.written()).toBe(`${client.port}\n`);
  });

  it("answers with its version and schema", async () => {
    const info = await client.call<InstanceType<typeof plugin_pb.PluginInfo>>("getPluginInfo", new empty_pb.Empty());
    expect(info.getVersion()).toBe("1.2.3");
    const request = new provider_pb.GetSchemaRequest();
    const schema = await client.call<InstanceType<typeof provider_pb.GetSchemaResponse>>("getSchema", request);
    expect(schema.getSchema()).toBe('{"name":"specimen"}');
  });
});

describe("the configuration of a plugin", () => {
  const check = async (news: Record<string, unknown>) => {
    const request = new provider_pb.CheckRequest().setNews(struct(news));
    const response = await client.call<InstanceType<typeof provider_pb.CheckResponse>>("checkConfig", request);
    const failures = response.getFailuresList().map((each) => `${each.getProperty()}: ${each.getReason()}`);
    return { inputs: response.getInputs()?.toJavaScript(), failures };
  };

  it("is completed with defaults, and its secrets stay sealed", async () => {
    expect(await check({ key: sealed("the-key-of-all"), version: "1.2.3", __internal: {} })).toEqual({
      inputs: { key: sealed("the-key-of-all"), port: "5432", version: "1.2.3", __internal: {} },
      failures: [],
    });
  });

  it("is refused for each unknown key", async () => {
    expect((await check({ key: "k", colour: "red", size: 1 })).failures).toEqual([
      'colour: provider specimen has no configuration "colour"; it has key, port',
      'size: provider specimen has no configuration "size"; it has key, port',
    ]);
  });

  it("has a diff of the keys that the plugin knows, and never a replacement", async () => {
    const diff = (olds: object, news: object) =>
      client.call<InstanceType<typeof provider_pb.DiffResponse>>(
        "diffConfig",
        new provider_pb.DiffRequest()
          .setOldInputs(struct({ ...olds }))
          .setOlds(struct({}))
          .setNews(struct({ ...news })),
      );
    const { DIFF_NONE, DIFF_SOME } = provider_pb.DiffResponse.DiffChanges;
    const same = await diff({ key: sealed("k"), version: "1" }, { key: "k", version: "2" });
    expect([same.getChanges(), same.getDiffsList()]).toEqual([DIFF_NONE, []]);
    const other = await diff({ key: "k", port: "1" }, { key: "k", port: "2" });
    expect([other.getChanges(), other.getDiffsList(), other.getReplacesList()]).toEqual([DIFF_SOME, ["port"], []]);
  });

  it("is answered with support for secrets and previews", async () => {
    const response = await client.configure({ key: sealed("the-key-of-all") });
    expect([response.getAcceptsecrets(), response.getSupportspreview()]).toEqual([true, true]);
  });
});

describe("a function", () => {
  it("receives its arguments and the provider's configuration", async () => {
    expect(await client.invoke("specimen:index:echo", { names: ["a", "b"], count: 2, flag: false })).toEqual({
      names: ["a", "b"],
      count: 2,
      flag: false,
      key: "the-key-of-all",
    });
  });

  it("fails with message and hint, without the secret arguments", async () => {
    const args = { refuse: "login with opened-sesame failed", password: "opened-sesame" };
    await expect(client.invoke("specimen:index:echo", args)).rejects.toMatchObject({
      details: "login with [secret] failed\n  Not with [secret].",
    });
  });

  it("is refused by name if the plugin does not have it, with those that it has", async () => {
    await expect(client.invoke("specimen:index:other", {})).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: "provider specimen has no function specimen:index:other; it has specimen:index:echo",
    });
  });
});

describe("secrets", () => {
  it("reach a resource type as plain values and leave it sealed", async () => {
    const { outputs } = await client.create({ name: "x", password: sealed(password) });
    expect(outputs).toMatchObject({ name: "x", length: password.length, password: sealed(password) });
  });

  it("stay secret in the answer of check", async () => {
    expect(await client.check({ name: "x", password: sealed(password) })).toEqual({
      inputs: { name: "x", password: sealed(password), isNew: true },
      failures: [],
    });
  });

  it("inside a property seal the whole property", async () => {
    const { outputs } = await client.create({
      envs: ["A=1", sealed("B=secret")],
      deep: { a: { b: sealed(12) } },
      open: [1],
    });
    expect(outputs.envs).toEqual(sealed(["A=1", "B=secret"]));
    expect(outputs.deep).toEqual(sealed({ a: { b: 12 } }));
    expect(outputs.open).toEqual([1]);
  });

  it("that a resource type creates from the configuration are sealed", async () => {
    expect((await client.create({ name: "x" })).outputs.token).toEqual(sealed("made of the-key-of-all"));
  });

  it("stay secret through update and read", async () => {
    expect(await client.update({ name: "old" }, { password: sealed(password) })).toEqual({
      password: sealed(password),
      was: "old",
      preview: false,
    });
    const state = { name: "x", password: sealed(password), token: "t" };
    expect(await client.read({ password: sealed(password) }, state)).toEqual({
      id: "one",
      inputs: { password: sealed(password) },
      outputs: { ...state, token: sealed("t") },
    });
  });
});

describe("a preview", () => {
  it("passes unknown values in and out, including secret ones", async () => {
    const { outputs } = await client.create({ name: unknownValue, password: sealed(unknownValue) }, true);
    expect(outputs).toMatchObject({ name: unknownValue, password: sealed(unknownValue), preview: true });
    expect(await client.update({}, { name: unknownValue }, true)).toEqual({ name: unknownValue, preview: true });
    expect((await client.check({ name: unknownValue })).inputs).toEqual({ name: unknownValue, isNew: true });
  });

  it("omits outputs without a value", async () => {
    expect((await client.create({ name: "x" })).outputs).toEqual({
      name: "x",
      token: sealed("made of the-key-of-all"),
      preview: false,
    });
  });
});

describe("check", () => {
  it("distinguishes a new resource from an existing one", async () => {
    expect((await client.check({ name: "x" })).inputs).toMatchObject({ isNew: true });
    expect((await client.check({ name: "x" }, {})).inputs).toMatchObject({ isNew: true });
    expect((await client.check({ name: "x" }, { name: "w" })).inputs).toMatchObject({ isNew: false });
  });

  it("reports failures by property, without the secret", async () => {
    expect((await client.check({ password: sealed("forbidden-password") })).failures).toEqual([
      'password: not "[secret]"',
    ]);
  });
});

describe("diff", () => {
  it("answers in detail, with the replaced properties and whether the inputs changed", async () => {
    const { ADD, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = provider_pb.PropertyDiff.Kind;
    const changes: PropertyChange[] = [
      { path: "pending[0]", kind: "add" },
      { path: "pending[1]", kind: "add" },
      { path: "a.b", kind: "delete", replace: true },
      { path: "name", kind: "update", replace: true },
      { path: "pid", kind: "update", input: false },
    ];
    const response = await client.diff({ changes, deleteBeforeReplace: true });
    expect(response.getChanges()).toBe(provider_pb.DiffResponse.DiffChanges.DIFF_SOME);
    expect(response.getDiffsList()).toEqual(["pending", "a", "name", "pid"]);
    expect(response.getReplacesList()).toEqual(["a", "name"]);
    expect(response.getDeletebeforereplace()).toBe(true);
    expect(response.getHasdetaileddiff()).toBe(true);
    const detailed = new Map<string, unknown>();
    response.getDetaileddiffMap().forEach((diff, path) => {
      detailed.set(path, [diff.getKind(), diff.getInputdiff()]);
    });
    expect(Object.fromEntries(detailed)).toEqual({
      "pending[0]": [ADD, true],
      "pending[1]": [ADD, true],
      "a.b": [DELETE_REPLACE, true],
      name: [UPDATE_REPLACE, true],
      pid: [UPDATE, false],
    });
  });

  it("answers none if there are no changes", async () => {
    const response = await client.diff({ name: "x" });
    expect(response.getChanges()).toBe(provider_pb.DiffResponse.DiffChanges.DIFF_NONE);
    expect(response.getDiffsList()).toEqual([]);
    expect(response.getDeletebeforereplace()).toBe(false);
  });
});

describe("read", () => {
  it("answers an empty id for a resource that is gone", async () => {
    expect((await client.read({ gone: true }, {})).id).toBe("");
  });
});

describe("an error", () => {
  it("for users has its message and hint, once, without stack trace and secret", async () => {
    const failed = client.create({ refuse: `login with ${password} failed`, password: sealed(password) });
    await expect(failed).rejects.toMatchObject({
      code: status.UNKNOWN,
      details: "login with [secret] failed\n  Not with [secret].",
    });
  });

  it("of the plugin itself has its message, without stack trace, secret and URL password", async () => {
    const crash = `no postgresql://ann:any-word@db/shop with ${password}`;
    await expect(client.create({ crash, password: sealed(password) })).rejects.toMatchObject({
      code: status.UNKNOWN,
      details: "no postgresql://ann:[secret]@db/shop with [secret]",
    });
  });

  it("contains no secret of the configuration or of an earlier call", async () => {
    await client.check({ password: sealed("seen-in-an-earlier-call") });
    await expect(client.create({ crash: "the-key-of-all, seen-in-an-earlier-call" })).rejects.toMatchObject({
      details: "[secret], [secret]",
    });
  });

  it("names an unknown resource type, and those that exist", async () => {
    const other = "urn:pulumi:test::shop::specimen:index:Other::one";
    await expect(client.create({}, false, other)).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: "provider specimen has no resource type specimen:index:Other; it has specimen:index:Specimen",
    });
  });

  it("is UNIMPLEMENTED for a call that is not supported", async () => {
    const construct = client.call("construct", new provider_pb.ConstructRequest());
    await expect(construct).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });
});

describe("a log line of a resource", () => {
  const { INFO, WARNING } = engine_pb.LogSeverity;

  it("reaches the engine with the resource's URN and without secrets", async () => {
    await client.create({ say: `watch ${password}`, password: sealed(password) });
    expect(logged).toEqual([{ urn, severity: WARNING, message: "watch [secret]" }]);
  });

  it("is kept nowhere if it only says what the resource is doing", async () => {
    await client.create({ doing: `cloning with ${password}`, password: sealed(password) });
    expect(logged).toEqual([{ urn, severity: INFO, message: "cloning with [secret]", isStatus: true }]);
  });

  it("is written before its call is answered, also for deletions", async () => {
    const request = new provider_pb.DeleteRequest()
      .setUrn(urn)
      .setId("one")
      .setProperties(struct({}))
      .setOldInputs(struct({}));
    await client.call("delete", request);
    expect(logged).toEqual([{ urn, severity: INFO, message: "one deleted" }]);
  });

  it("reaches an engine that attaches later, and fails nothing without an engine", async () => {
    const alone = await startPlugin(process.execPath, [specimen]);
    try {
      await alone.client.create({ say: "to nobody" });
      await alone.client.call("attach", new plugin_pb.PluginAttach().setAddress(engineAddress));
      await alone.client.create({ say: "to the engine" });
      await alone.client.call("attach", new plugin_pb.PluginAttach().setAddress("127.0.0.1:1"));
      await alone.client.create({ say: "to nobody again" });
      expect(logged.map(({ message }) => message)).toEqual(["to the engine"]);
    } finally {
      await alone.stop();
    }
  });
});

describe("cancel", () => {
  it("ends running work", async () => {
    const own = await startPlugin(process.execPath, [specimen, engineAddress]);
    try {
      const waiting = own.client.create({ say: "begun", wait: true });
      waiting.catch(() => undefined);
      await expect.poll(() => logged.length).toBe(1);
      await own.client.call("cancel", new empty_pb.Empty());
      await expect(waiting).rejects.toMatchObject({ details: "Cancelled." });
    } finally {
      await own.stop();
    }
  });
});
