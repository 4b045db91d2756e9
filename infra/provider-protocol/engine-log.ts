import engine_grpc_pb from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine_pb from "@pulumi/pulumi/proto/engine_pb.js";
import { credentials } from "../../scripts/pulumi/shared-packages.ts";
import type { Severity } from "./resource-type.ts";

/** The engine's own log. Lines appear under their resource, in previews too. */
export class EngineLog {
  #client: InstanceType<typeof engine_grpc_pb.EngineClient> | undefined;

  /** @param address host:port of the engine. Undefined if the plugin is started by hand: nothing is written then. */
  constructor(address: string | undefined) {
    if (address !== undefined) this.connect(address);
  }

  connect(address: string): void {
    this.#client = new engine_grpc_pb.EngineClient(address, credentials.createInsecure());
  }

  close(): void {
    this.#client?.close();
  }

  /** Writes a line and never fails: a line that cannot be shown must not fail the work that it describes. */
  async write(urn: string, severity: Severity, message: string): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    const request = new engine_pb.LogRequest().setUrn(urn).setMessage(message).setSeverity(severityNumber(severity));
    request.setEphemeral(severity === "status");
    await new Promise<void>((resolve) => client.log(request, () => resolve()));
  }
}

function severityNumber(severity: Severity) {
  const { DEBUG, INFO, WARNING, ERROR } = engine_pb.LogSeverity;
  return { debug: DEBUG, status: INFO, info: INFO, warning: WARNING, error: ERROR }[severity];
}
