import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Client, credentials, type ServiceError } from "@grpc/grpc-js";
import provider_grpc_pb from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider_pb from "@pulumi/pulumi/proto/provider_pb.js";
import struct_pb from "google-protobuf/google/protobuf/struct_pb.js";

/** Properties in the wire format, with wrapped secrets. */
export type Wire = Record<string, unknown>;

/** Wraps a value as a secret, in the engine's form. */
export const sealed = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

type Responses = typeof provider_pb;
type Response<Name extends keyof Responses> = Responses[Name] extends { prototype: infer Instance } ? Instance : never;

export const struct = (values: Wire) =>
  struct_pb.Struct.fromJavaScript(values as Parameters<typeof struct_pb.Struct.fromJavaScript>[0]);

/** Calls one plugin as the engine does, through the generated client. */
export class PluginClient {
  readonly port: string;
  readonly #client: Client;

  constructor(port: string) {
    this.port = port;
    this.#client = new provider_grpc_pb.ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  close(): void {
    this.#client.close();
  }

  configure(args: Wire) {
    return this.call<Response<"ConfigureResponse">>(
      "configure",
      new provider_pb.ConfigureRequest().setArgs(struct(args)),
    );
  }

  async check(news: Wire, olds?: Wire) {
    const request = new provider_pb.CheckRequest().setUrn(urn).setNews(struct(news));
    if (olds !== undefined) request.setOlds(struct(olds));
    const response = await this.call<Response<"CheckResponse">>("check", request);
    const failures = response.getFailuresList().map((each) => `${each.getProperty()}: ${each.getReason()}`);
    return { inputs: response.getInputs()?.toJavaScript(), failures };
  }

  async create(properties: Wire, preview = false, as = urn) {
    const request = new provider_pb.CreateRequest().setUrn(as).setProperties(struct(properties)).setPreview(preview);
    const response = await this.call<Response<"CreateResponse">>("create", request);
    return { id: response.getId(), outputs: response.getProperties()?.toJavaScript() as Wire };
  }

  async diff(news: Wire) {
    const empty = struct({});
    const request = new provider_pb.DiffRequest()
      .setUrn(urn)
      .setId("one")
      .setOlds(empty)
      .setOldInputs(empty)
      .setNews(struct(news));
    return this.call<Response<"DiffResponse">>("diff", request);
  }

  async read(inputs: Wire, properties: Wire) {
    const request = new provider_pb.ReadRequest()
      .setUrn(urn)
      .setId("one")
      .setInputs(struct(inputs))
      .setProperties(struct(properties));
    const response = await this.call<Response<"ReadResponse">>("read", request);
    const [read, outputs] = [response.getInputs()?.toJavaScript(), response.getProperties()?.toJavaScript()];
    return { id: response.getId(), inputs: read, outputs };
  }

  async update(oldInputs: Wire, news: Wire, preview = false) {
    const request = new provider_pb.UpdateRequest()
      .setUrn(urn)
      .setId("one")
      .setOlds(struct({}))
      .setOldInputs(struct(oldInputs))
      .setNews(struct(news))
      .setPreview(preview);
    return (await this.call<Response<"UpdateResponse">>("update", request)).getProperties()?.toJavaScript();
  }

  async invoke(token: string, args: Wire) {
    const request = new provider_pb.InvokeRequest().setTok(token).setArgs(struct(args));
    return (await this.call<Response<"InvokeResponse">>("invoke", request)).getReturn()?.toJavaScript();
  }

  /** Calls any method by its name. */
  call<Answer>(method: string, request: unknown): Promise<Answer> {
    const methods = this.#client as unknown as Record<string, (request: unknown, done: Callback<Answer>) => void>;
    return new Promise((resolve, reject) => {
      methods[method]?.call(this.#client, request, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
  }
}

type Callback<Answer> = (error: ServiceError | null, response: Answer) => void;

export const urn = "urn:pulumi:test::shop::my:component:Parent$specimen:index:Specimen::one";

/** A plugin in a separate process. */
export interface PluginProcess {
  client: PluginClient;
  process: ChildProcess;
  /** Returns all of its output to stdout. */
  written(): string;
  stop(): Promise<void>;
}

/**
 * Starts a plugin and reads its port, as the engine does. The port is on line `portLine` of the output; 0 is the first.
 */
export async function startPlugin(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; portLine?: number } = {},
): Promise<PluginProcess & { lines: string[] }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: options.env ?? process.env });
  let written = "";
  let reported = "";
  child.stdout.on("data", (text: Buffer) => {
    written += text.toString();
  });
  child.stderr.on("data", (text: Buffer) => {
    reported += text.toString();
  });
  const exited = once(child, "exit").then(() => {
    throw new Error(`the plugin ended before it served: ${reported}`);
  });
  exited.catch(() => undefined);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const wanted = (options.portLine ?? 0) + 1;
  await Promise.race([
    new Promise<void>((resolve) => {
      reader.on("line", (line) => {
        lines.push(line);
        if (lines.length === wanted) resolve();
      });
    }),
    exited,
  ]);
  const client = new PluginClient(lines.at(-1) ?? "");
  return {
    client,
    process: child,
    lines,
    written: () => written,
    stop: async () => {
      client.close();
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, "exit");
    },
  };
}
