import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { bytesIn } from "../../core/bytes-in.ts";
import { clusterState } from "../../server/cluster.ts";
import { claimOfOther, folderOfLastServer, runningServerOfOther } from "../../server/data-directory-claim.ts";
import { stopServer } from "../../server/embedded.ts";
import { serverDirectory } from "../../server/locations.ts";
import { findPostmaster } from "../../server/postmaster.ts";
import { isCloneGone } from "../../server/server-record.ts";
import type { StackState } from "../stack-state.ts";
import type { RecoveryContext, StackLeftover } from "./leftover.ts";
import { isOwn, type KnownServer, ownerIn, ownFolder } from "./own-servers.ts";

const serverType = "pgroundwork:index:EmbeddedServer";

/**
 * Finds servers that are missing from the state: those of this stack, and those whose project directory is gone. Their
 * data is always kept.
 */
export async function unknownServers(
  context: RecoveryContext,
  project: string,
  servers: readonly KnownServer[],
  state: StackState | undefined,
): Promise<StackLeftover[]> {
  const known = new Set(knownFolders(state));
  const leftovers: StackLeftover[] = [];
  for (const server of servers) {
    if (known.has(server.folder)) continue;
    if (isOwn(context, project, server)) leftovers.push(...(await ownServer(context, project, server)));
    else if (server.record !== undefined && (await isCloneGone(server.record.clone)))
      leftovers.push(...(await orphanedServer(context, server)));
  }
  return leftovers;
}

function knownFolders(state: StackState | undefined): unknown[] {
  const servers = (state?.deployment.resources ?? []).filter(({ type }) => type === serverType);
  return servers.map(({ outputs }) => outputs?.folder);
}

async function ownServer(context: RecoveryContext, project: string, server: KnownServer): Promise<StackLeftover[]> {
  const { folder } = server;
  const owner = ownerIn(context, project);
  // Another stack may have adopted the data. Then the record is outdated.
  const isOthers = (await claimOfOther(server.dataDirectory, owner)) !== undefined;
  const dataDirectory = isOthers ? serverDirectory(folder).data : server.dataDirectory;
  if (!(await hasCluster(dataDirectory))) return [];
  const found = `the state of stack "${context.stack.name}" does not contain its server: ${await describe(dataDirectory)}`;
  const other = await runningServerOfOther(dataDirectory, owner);
  if (other !== undefined) {
    const { clone, stack } = other.record;
    const advice = `Stack "${stack}" of the project directory ${clone} adopted the data. Stop that server; then \`up\` adopts the data again.`;
    return [{ kind: "server", found, advice }];
  }
  const advice =
    folder === ownFolder(context, project)
      ? "The next `up` adopts it and sets new passwords."
      : `The project directory was moved. To let \`up\` adopt the server, set pgroundwork:dataDirectory: ${dataDirectory}`;
  return [{ kind: "server", found, advice }];
}

async function hasCluster(dataDirectory: string): Promise<boolean> {
  return (await clusterState(dataDirectory)).kind === "cluster";
}

async function orphanedServer({ home, stopOrphans }: RecoveryContext, server: KnownServer): Promise<StackLeftover[]> {
  const { folder, record, dataDirectory } = server;
  if (!(await hasCluster(dataDirectory))) return [];
  const leftover: StackLeftover = {
    kind: "server",
    found: `the project directory ${record?.clone} is gone or was moved, but its stack "${record?.stack}" still has a server: ${await describe(dataDirectory)}`,
    advice: `Its data is kept. To use it in a stack, set pgroundwork:dataDirectory: ${dataDirectory}`,
  };
  if (!(await runsForNobody(server))) return [leftover];
  if (!stopOrphans) return [{ ...leftover, advice: `${leftover.advice} --stop-orphans stops the server.` }];
  const act = async () => {
    // Checked again, because the project directory may be back, and another stack may have adopted the data.
    if (!(await runsForNobody(server))) return false;
    return stopServer(home, { data: dataDirectory, log: serverDirectory(folder).log });
  };
  return [{ ...leftover, action: "stop the server and keep its data", act }];
}

/** Returns true if a server runs whose project directory is gone, on data that no other stack has adopted. */
async function runsForNobody({ folder, record, dataDirectory }: KnownServer): Promise<boolean> {
  if (record === undefined || !(await isCloneGone(record.clone))) return false;
  if ((await findPostmaster(dataDirectory)) === undefined) return false;
  return (await folderOfLastServer(dataDirectory)) === folder;
}

async function describe(dataDirectory: string): Promise<string> {
  const running = await findPostmaster(dataDirectory);
  const state = running === undefined ? "stopped" : `running on port ${running.port} (pid ${running.pid})`;
  // Resolved, because a symbolic link itself would count as 0 bytes.
  const megabytes = Math.ceil((await bytesIn(await realpath(dataDirectory))) / 1_000_000);
  const databases = await databaseCount(dataDirectory);
  return `${state}, ${megabytes} MB, ${databases} ${databases === 1 ? "database" : "databases"}, in ${dataDirectory}`;
}

/** First OID of objects that users create. Lower ones belong to the databases of every cluster. */
const firstUserOid = 16_384;

/**
 * Counts databases by their folders, which are named by OID. This needs no password. Databases in other tablespaces are
 * not counted.
 */
async function databaseCount(dataDirectory: string): Promise<number> {
  const entries = await readdir(join(dataDirectory, "base"));
  return entries.filter((name) => Number(name) >= firstUserOid).length;
}
