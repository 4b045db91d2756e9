import type { ServiceError, status as Status, sendUnaryData } from "@grpc/grpc-js";
import plugin_pb from "@pulumi/pulumi/proto/plugin_pb.js";
import provider_grpc_pb from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider_pb from "@pulumi/pulumi/proto/provider_pb.js";
import { OperationError } from "../../scripts/core/operation-error.ts";
import { redact } from "../../scripts/core/redact.ts";
import { Empty, Server, ServerCredentials, status } from "../../scripts/pulumi/shared-packages.ts";
import { checkConfiguration, diffConfiguration } from "./configuration-calls.ts";
import { EngineLog } from "./engine-log.ts";
import { invokeFunction } from "./function-calls.ts";
import { exitWithParent } from "./parent.ts";
import { ResourceCalls } from "./resource-calls.ts";
import type { Plugin } from "./resource-type.ts";
import { decode } from "./values.ts";

type CheckRequest = InstanceType<typeof provider_pb.CheckRequest>;
type DiffRequest = InstanceType<typeof provider_pb.DiffRequest>;
type InvokeRequest = InstanceType<typeof provider_pb.InvokeRequest>;

/** A call's request, as gRPC passes it to a handler. */
interface Call<Request> {
  request: Request;
}

/**
 * Serves a provider plugin to the Pulumi engine: prints the port that it listens on, and answers until the engine ends
 * it or is gone.
 *
 * @param argv the process's arguments, which include the engine's address for log lines
 */
export async function serve(plugin: Plugin, argv: readonly string[]): Promise<void> {
  const { port, cancelled } = await listen(plugin, argv);
  exitWithParent(cancelled);
  // The engine reads the port from the first line of stdout. Nothing else may ever be written there.
  process.stdout.write(`${port}\n`);
}

/** A plugin that answers on a port of 127.0.0.1. */
export interface ListeningPlugin {
  readonly port: number;
  /** Aborting it ends work in progress. */
  readonly cancelled: AbortController;
  /** Refuses further calls and drops calls in progress. */
  close(): void;
}

/**
 * Starts a plugin's gRPC server with its own configuration and signal, so that one process can serve several runs of
 * the engine.
 *
 * The SDK's `provider.main` cannot be used: it does not pass on the provider's configuration, the preview flag, old
 * inputs or a detailed diff.
 *
 * @param argv as in {@link serve}
 */
export async function listen(plugin: Plugin, argv: readonly string[]): Promise<ListeningPlugin> {
  const cancelled = new AbortController();
  const engineLog = new EngineLog(argv.findLast((argument) => !argument.startsWith("-")));
  const calls = new ResourceCalls(plugin, engineLog, cancelled.signal);
  const server = new Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    // Counts calls for a debugging interface that the plugin does not have.
    "grpc.enable_channelz": 0,
  });

  server.addService(provider_grpc_pb.ResourceProviderService, {
    getPluginInfo: answer(calls, () => new plugin_pb.PluginInfo().setVersion(plugin.version)),
    getSchema: answer(calls, async () => new provider_pb.GetSchemaResponse().setSchema(await plugin.schema())),
    attach: answer(calls, (request: { getAddress(): string }) => {
      engineLog.connect(request.getAddress());
      return new Empty();
    }),
    cancel: answer(calls, () => {
      cancelled.abort(new OperationError("Cancelled."));
      return new Empty();
    }),
    checkConfig: answer(calls, (request: CheckRequest) => checkConfiguration(plugin, request)),
    diffConfig: answer(calls, (request: DiffRequest) => diffConfiguration(plugin, request)),
    configure: answer(calls, (request: InstanceType<typeof provider_pb.ConfigureRequest>) => {
      calls.configure(decode(request.getArgs()));
      return new provider_pb.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
    }),
    check: answer(calls, calls.check),
    diff: answer(calls, calls.diff),
    create: answer(calls, calls.create),
    read: answer(calls, calls.read),
    update: answer(calls, calls.update),
    delete: answer(calls, calls.delete),
    invoke: answer(calls, (request: InvokeRequest) =>
      invokeFunction(plugin, { config: calls.config, signal: cancelled.signal }, calls.secrets, request),
    ),
  });

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const close = () => {
    server.forceShutdown();
    engineLog.close();
  };
  return { port, cancelled, close };
}

/** Wraps a function as a gRPC handler with readable errors: the message once, no stack trace, no secret. */
function answer<Request, Response>(
  calls: ResourceCalls,
  handle: (request: Request) => Response | Promise<Response>,
): (call: Call<Request>, callback: sendUnaryData<Response>) => void {
  return (call, callback) => {
    // A promise chain and not `await`, so that a throw before the first `await` is handled in the same place.
    Promise.resolve()
      .then(() => handle(call.request))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(serviceError(error, calls.secrets)),
      );
  };
}

function serviceError(error: unknown, secrets: Iterable<string>): Partial<ServiceError> {
  const text = error instanceof OperationError ? error.text : error instanceof Error ? error.message : String(error);
  const code = (error as { grpcStatus?: Status }).grpcStatus ?? status.UNKNOWN;
  return { code, details: redact(text, secrets) };
}
