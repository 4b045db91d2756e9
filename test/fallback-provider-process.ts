import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Client, credentials, type ServiceError } from "@grpc/grpc-js";
import provider_grpc_pb from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider_pb from "@pulumi/pulumi/proto/provider_pb.js";
import empty_pb from "google-protobuf/google/protobuf/empty_pb.js";
import { decode, encode, type Properties } from "../infra/provider-protocol/values.ts";
import { cloneRoot } from "./clone-root.ts";

/** A resource as the engine keeps it. */
export interface Made {
  type: string;
  name: string;
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** A fallback provider to start, with its configuration. */
export interface FallbackProvider {
  /** Folder name, as in `infra/fallback-providers/<name>`. */
  name: string;
  config: Properties;
  /** Keys of configuration and inputs that are sent as secrets. */
  secretKeys?: readonly string[];
}

/** A fallback provider as the engine runs it: a separate process, called over gRPC, with wrapped secrets. */
export class FallbackProviderProcess {
  readonly #fallbackProvider: FallbackProvider;
  #process: ChildProcess | undefined;
  #client: Client | undefined;

  constructor(fallbackProvider: FallbackProvider) {
    this.#fallbackProvider = fallbackProvider;
  }

  /**
   * Starts and configures the process.
   *
   * @returns this object, ready for calls
   */
  async started(): Promise<this> {
    const child = spawn(process.execPath, [`infra/fallback-providers/${this.#fallbackProvider.name}/main.ts`], {
      cwd: cloneRoot,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    this.#process = child;
    this.#client = new provider_grpc_pb.ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const { config, secretKeys = [] } = this.#fallbackProvider;
    await this.#call("configure", new provider_pb.ConfigureRequest().setArgs(encode(config, secretKeys)));
    return this;
  }

  async stop(): Promise<void> {
    await this.kill("SIGTERM");
  }

  /** Ends the process. By default it is killed, as in a power failure: none of its code runs any more. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#client?.close();
    if (this.#process === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill(signal);
    await once(this.#process, "exit");
  }

  /** Runs check and create. Secret inputs are sent as secrets. */
  async create(type: string, name: string, news: Properties): Promise<Made> {
    const inputs = await this.check(type, name, news);
    const request = new provider_pb.CreateRequest()
      .setUrn(this.#urn(type, name))
      .setProperties(encode(inputs, this.#secrets(inputs)));
    const response = await this.#call<InstanceType<typeof provider_pb.CreateResponse>>("create", request);
    return { type, name, id: response.getId(), inputs, outputs: decode(response.getProperties()).values };
  }

  async check(type: string, name: string, news: Properties, olds?: Properties): Promise<Properties> {
    const request = new provider_pb.CheckRequest()
      .setUrn(this.#urn(type, name))
      .setNews(encode(news, this.#secrets(news)));
    if (olds !== undefined) request.setOlds(encode(olds, this.#secrets(olds)));
    const response = await this.#call<InstanceType<typeof provider_pb.CheckResponse>>("check", request);
    const failures = response.getFailuresList().map((failure) => failure.getReason());
    if (failures.length > 0) throw new Error(failures.join("\n"));
    return decode(response.getInputs()).values;
  }

  /** Returns the keys of a diff as the engine prints them; `!` marks a replacement. */
  async diff(made: Made, news: Properties = declared(made.inputs)): Promise<string[]> {
    const inputs = await this.check(made.type, made.name, news, made.inputs);
    const request = new provider_pb.DiffRequest()
      .setId(made.id)
      .setUrn(this.#urn(made.type, made.name))
      .setOlds(encode(made.outputs, this.#secrets(made.outputs)))
      .setOldInputs(encode(made.inputs, this.#secrets(made.inputs)))
      .setNews(encode(inputs, this.#secrets(inputs)));
    const response = await this.#call<InstanceType<typeof provider_pb.DiffResponse>>("diff", request);
    const replaces = response.getReplacesList();
    return response.getDiffsList().map((key) => (replaces.includes(key) ? `${key}!` : key));
  }

  async update(made: Made, news: Properties = declared(made.inputs)): Promise<Made> {
    const inputs = await this.check(made.type, made.name, news, made.inputs);
    const request = new provider_pb.UpdateRequest()
      .setId(made.id)
      .setUrn(this.#urn(made.type, made.name))
      .setOlds(encode(made.outputs, this.#secrets(made.outputs)))
      .setOldInputs(encode(made.inputs, this.#secrets(made.inputs)))
      .setNews(encode(inputs, this.#secrets(inputs)));
    const response = await this.#call<InstanceType<typeof provider_pb.UpdateResponse>>("update", request);
    return { ...made, inputs, outputs: decode(response.getProperties()).values };
  }

  /** Returns the current state, or undefined if the resource is gone. */
  async read(made: Made): Promise<Made | undefined> {
    const request = new provider_pb.ReadRequest()
      .setId(made.id)
      .setUrn(this.#urn(made.type, made.name))
      .setProperties(encode(made.outputs, this.#secrets(made.outputs)))
      .setInputs(encode(made.inputs, this.#secrets(made.inputs)));
    const response = await this.#call<InstanceType<typeof provider_pb.ReadResponse>>("read", request);
    if (response.getId() === "") return undefined;
    const inputs = decode(response.getInputs()).values;
    return { ...made, id: response.getId(), inputs, outputs: decode(response.getProperties()).values };
  }

  async delete(made: Made): Promise<void> {
    const request = new provider_pb.DeleteRequest()
      .setId(made.id)
      .setUrn(this.#urn(made.type, made.name))
      .setProperties(encode(made.outputs, this.#secrets(made.outputs)))
      .setOldInputs(encode(made.inputs, this.#secrets(made.inputs)));
    await this.#call("delete", request);
  }

  /** Sends the call that the engine makes when its user interrupts it. */
  async cancel(): Promise<void> {
    await this.#call("cancel", new empty_pb.Empty());
  }

  /** Creates a resource and returns the names of its secret outputs. */
  async sealedOutputs(type: string, name: string, news: Properties): Promise<string[]> {
    const inputs = await this.check(type, name, news);
    const request = new provider_pb.CreateRequest()
      .setUrn(this.#urn(type, name))
      .setProperties(encode(inputs, this.#secrets(inputs)));
    const response = await this.#call<InstanceType<typeof provider_pb.CreateResponse>>("create", request);
    return [...decode(response.getProperties()).secretKeys].sort();
  }

  #call<Response>(method: string, request: unknown): Promise<Response> {
    const call = (this.#client as unknown as Record<string, (request: unknown, done: Callback<Response>) => void>)[
      method
    ];
    return new Promise((resolve, reject) => {
      call?.call(this.#client, request, (error, response) =>
        error === null ? resolve(response) : reject(new Error(error.details)),
      );
    });
  }

  #urn(type: string, name: string): string {
    const token = `${this.#fallbackProvider.name}:index/${type[0]?.toLowerCase()}${type.slice(1)}:${type}`;
    return `urn:pulumi:test::project::${token}::${name}`;
  }

  #secrets(values: Properties): string[] {
    return (this.#fallbackProvider.secretKeys ?? []).filter((key) => key in values);
  }
}

type Callback<Response> = (error: ServiceError | null, response: Response) => void;

/** Returns the inputs that a program declared: removes what check added, also in nested objects. */
export function declared(inputs: Properties): Properties {
  return withoutAdded(inputs) as Properties;
}

function withoutAdded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAdded);
  if (typeof value !== "object" || value === null) return value;
  const values = value as Properties;
  const added = Array.isArray(values.__defaults) ? values.__defaults : [];
  return Object.fromEntries(
    Object.entries(values)
      .filter(([key]) => key !== "__defaults" && !added.includes(key))
      .map(([key, item]) => [key, withoutAdded(item)]),
  );
}
