import { credentials } from "@grpc/grpc-js";
import engine_grpc_pb from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine_pb from "@pulumi/pulumi/proto/engine_pb.js";
import type { Severity } from "./resource-type.ts";

/** The engine's own log: lines written to it appear under their resource, in previews too. */
export class EngineLog {
  #client: InstanceType<typeof engine_grpc_pb.EngineClient> | undefined;

  /** @param address host:port of the engine; undefined where a plugin is started by hand, and nothing is written then */
  constructor(address: string | undefined) {
    if (address !== undefined) this.connect(address);
  }

  connect(address: string): void {
    this.#client = new engine_grpc_pb.EngineClient(address, credentials.createInsecure());
  }

  /** Never fails: a line that cannot be shown must not fail the work it tells of. */
  async write(urn: string, severity: Severity, message: string): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    const request = new engine_pb.LogRequest().setUrn(urn).setMessage(message).setSeverity(severityNumber(severity));
    await new Promise<void>((resolve) => client.log(request, () => resolve()));
  }
}

function severityNumber(severity: Severity) {
  const { DEBUG, INFO, WARNING, ERROR } = engine_pb.LogSeverity;
  return { debug: DEBUG, info: INFO, warning: WARNING, error: ERROR }[severity];
}
