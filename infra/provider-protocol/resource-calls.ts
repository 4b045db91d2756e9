import provider_pb from "@pulumi/pulumi/proto/provider_pb.js";
import { redact } from "../../scripts/core/redact.ts";
import { Empty, status } from "../../scripts/pulumi/shared-packages.ts";
import { diffResponse } from "./diff-response.ts";
import type { EngineLog } from "./engine-log.ts";
import type { CallContext, Plugin, ResourceType } from "./resource-type.ts";
import { type Decoded, decode, encode, type Properties } from "./values.ts";

type Message<Name extends keyof typeof provider_pb> = (typeof provider_pb)[Name] extends { prototype: infer Instance }
  ? Instance
  : never;

/** Converts the engine's resource calls into calls of resource types, with values from and to the wire format. */
export class ResourceCalls {
  /** All secrets that arrived, so that no message contains one. */
  readonly secrets = new Set<string>();
  readonly #plugin: Plugin;
  readonly #engineLog: EngineLog;
  readonly #signal: AbortSignal;
  #config: Properties = {};

  constructor(plugin: Plugin, engineLog: EngineLog, signal: AbortSignal) {
    this.#plugin = plugin;
    this.#engineLog = engineLog;
    this.#signal = signal;
  }

  /** The provider's configuration, empty until the engine has sent it. */
  get config(): Properties {
    return this.#config;
  }

  configure(args: Decoded): void {
    this.#remember(args);
    this.#config = args.values;
  }

  readonly check = async (request: Message<"CheckRequest">) => {
    const type = await this.#type(request.getUrn());
    const news = this.#decode(request.getNews());
    const olds = request.hasOlds() ? this.#decode(request.getOlds()) : undefined;
    const isNew = olds === undefined || Object.keys(olds.values).length === 0;
    const result = await type.check(this.#context(request.getUrn()), news.values, isNew ? undefined : olds.values);
    return new provider_pb.CheckResponse()
      .setInputs(encode(result.inputs, news.secretKeys))
      .setFailuresList(
        (result.failures ?? []).map(({ property, reason }) =>
          new provider_pb.CheckFailure().setProperty(property).setReason(redact(reason, this.secrets)),
        ),
      );
  };

  readonly diff = async (request: Message<"DiffRequest">) => {
    const type = await this.#type(request.getUrn());
    const outputs = this.#decode(request.getOlds()).values;
    const inputs = this.#decode(request.getOldInputs()).values;
    const news = this.#decode(request.getNews()).values;
    const old = { id: request.getId(), outputs, inputs };
    return diffResponse(await type.diff(this.#context(request.getUrn()), old, news));
  };

  readonly create = async (request: Message<"CreateRequest">) => {
    const type = await this.#type(request.getUrn());
    const inputs = this.#decode(request.getProperties());
    const made = await type.create(this.#context(request.getUrn()), inputs.values, request.getPreview());
    return new provider_pb.CreateResponse().setId(made.id).setProperties(this.#outputs(type, made.outputs, inputs));
  };

  readonly read = async (request: Message<"ReadRequest">) => {
    const type = await this.#type(request.getUrn());
    const outputs = this.#decode(request.getProperties());
    const inputs = this.#decode(request.getInputs());
    const current = { id: request.getId(), outputs: outputs.values, inputs: inputs.values };
    const found = await type.read(this.#context(request.getUrn()), current);
    // An empty id tells the engine that the resource is gone.
    if (found === undefined) return new provider_pb.ReadResponse();
    return new provider_pb.ReadResponse()
      .setId(found.id)
      .setInputs(encode(found.inputs, inputs.secretKeys))
      .setProperties(this.#outputs(type, found.outputs, inputs, outputs));
  };

  readonly update = async (request: Message<"UpdateRequest">) => {
    const type = await this.#type(request.getUrn());
    const outputs = this.#decode(request.getOlds());
    const inputs = this.#decode(request.getOldInputs());
    const news = this.#decode(request.getNews());
    const old = { id: request.getId(), outputs: outputs.values, inputs: inputs.values };
    const made = await type.update(this.#context(request.getUrn()), old, news.values, request.getPreview());
    return new provider_pb.UpdateResponse().setProperties(this.#outputs(type, made, news));
  };

  readonly delete = async (request: Message<"DeleteRequest">) => {
    const type = await this.#type(request.getUrn());
    const outputs = this.#decode(request.getProperties()).values;
    const inputs = this.#decode(request.getOldInputs()).values;
    await type.delete(this.#context(request.getUrn()), { id: request.getId(), outputs, inputs });
    return new Empty();
  };

  #decode(struct: Parameters<typeof decode>[0]): Decoded {
    const decoded = decode(struct);
    this.#remember(decoded);
    return decoded;
  }

  #remember(decoded: Decoded): void {
    for (const secret of decoded.secrets) this.secrets.add(secret);
  }

  #outputs(type: ResourceType, outputs: Properties, ...sources: Decoded[]) {
    const secretKeys = new Set(type.secretOutputs);
    for (const source of sources) for (const key of source.secretKeys) secretKeys.add(key);
    for (const key of type.secretOutputs ?? []) {
      const value = outputs[key];
      if (typeof value === "string") this.secrets.add(value);
    }
    return encode(outputs, secretKeys);
  }

  #context(urn: string): CallContext {
    return {
      urn,
      config: this.#config,
      signal: this.#signal,
      log: (severity, message) => this.#engineLog.write(urn, severity, redact(message, this.secrets)),
    };
  }

  async #type(urn: string): Promise<ResourceType> {
    const token = typeToken(urn);
    const load = this.#plugin.types[token];
    if (load === undefined) {
      const known = Object.keys(this.#plugin.types).join(", ");
      const message = `provider ${this.#plugin.name} has no resource type ${token}; it has ${known}`;
      throw Object.assign(new Error(message), { grpcStatus: status.UNIMPLEMENTED });
    }
    return load();
  }
}

/** `urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME` -> `TYPE`. */
function typeToken(urn: string): string {
  const qualified = urn.split("::")[2] ?? "";
  return qualified.slice(qualified.lastIndexOf("$") + 1);
}
