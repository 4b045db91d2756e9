import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { bytesIn } from "../files/bytes-in.ts";
import { clusterState } from "../server/cluster.ts";
import { claimOfOther, folderOfLastServer, runningServerOfOther } from "../server/data-directory-claim.ts";
import { stopServer } from "../server/embedded.ts";
import { serverDirectory } from "../server/locations.ts";
import { findPostmaster } from "../server/postmaster.ts";
import { isCloneGone } from "../server/server-record.ts";
import type { StackState } from "../stack/stack-state.ts";
import type { Finding, Scene } from "./finding.ts";
import { isOwn, type KnownServer, ownerIn, ownFolder } from "./own-servers.ts";

const serverType = "pgroundwork:index:EmbeddedServer";

/** Servers that no state knows: this stack's own, and those whose clone is gone. Their data is kept, always. */
export async function unknownServers(
  scene: Scene,
  project: string,
  servers: readonly KnownServer[],
  state: StackState | undefined,
): Promise<Finding[]> {
  const known = new Set(knownFolders(state));
  const findings: Finding[] = [];
  for (const server of servers) {
    if (known.has(server.folder)) continue;
    if (isOwn(scene, project, server)) findings.push(...(await ownServer(scene, project, server)));
    else if (server.record !== undefined && (await isCloneGone(server.record.clone)))
      findings.push(...(await orphanedServer(scene, server)));
  }
  return findings;
}

function knownFolders(state: StackState | undefined): unknown[] {
  const servers = (state?.deployment.resources ?? []).filter(({ type }) => type === serverType);
  return servers.map(({ outputs }) => outputs?.folder);
}

async function ownServer(scene: Scene, project: string, server: KnownServer): Promise<Finding[]> {
  const { folder } = server;
  const owner = ownerIn(scene, project);
  // Another stack may have taken the data over: what the record says is out of date then.
  const isOthers = (await claimOfOther(server.dataDirectory, owner)) !== undefined;
  const dataDirectory = isOthers ? serverDirectory(folder).data : server.dataDirectory;
  if (!(await hasCluster(dataDirectory))) return [];
  const found = `the state of stack "${scene.stack}" does not know its server: ${await describe(dataDirectory)}`;
  const other = await runningServerOfOther(dataDirectory, owner);
  if (other !== undefined) {
    const { clone, stack } = other.record;
    const advice = `Stack "${stack}" of the clone ${clone} has taken the data over. \`up\` takes it back once that server is stopped.`;
    return [{ kind: "server", found, advice }];
  }
  const advice =
    folder === ownFolder(scene, project)
      ? "The next `up` takes it over, with new passwords."
      : `The clone was moved: \`up\` takes it over with pgroundwork:dataDirectory: ${dataDirectory}`;
  return [{ kind: "server", found, advice }];
}

async function hasCluster(dataDirectory: string): Promise<boolean> {
  return (await clusterState(dataDirectory)).kind === "cluster";
}

async function orphanedServer({ home, stopOrphans }: Scene, server: KnownServer): Promise<Finding[]> {
  const { folder, record, dataDirectory } = server;
  if (!(await hasCluster(dataDirectory))) return [];
  const finding: Finding = {
    kind: "server",
    found: `the clone ${record?.clone} is gone (or was moved), the server of its stack "${record?.stack}" is not: ${await describe(dataDirectory)}`,
    advice: `Its data is kept. A stack gets it with pgroundwork:dataDirectory: ${dataDirectory}`,
  };
  const running = (await findPostmaster(dataDirectory)) !== undefined;
  // Another stack may have taken the data over.
  const isItsOwn = (await folderOfLastServer(dataDirectory)) === folder;
  if (!running || !isItsOwn) return [finding];
  if (!stopOrphans) return [{ ...finding, advice: `${finding.advice} --stop-orphans stops the server.` }];
  const act = async () => void (await stopServer(home, { data: dataDirectory, log: serverDirectory(folder).log }));
  return [{ ...finding, action: "stop the server and keep its data", act }];
}

async function describe(dataDirectory: string): Promise<string> {
  const running = await findPostmaster(dataDirectory);
  const state = running === undefined ? "stopped" : `running on port ${running.port} (pid ${running.pid})`;
  // It may be a link, which would count as nothing.
  const megabytes = Math.ceil((await bytesIn(await realpath(dataDirectory))) / 1_000_000);
  const databases = await databaseCount(dataDirectory);
  return `${state}, ${megabytes} MB, ${databases} ${databases === 1 ? "database" : "databases"}, in ${dataDirectory}`;
}

/** The first id that is given to what users make; below are the databases that every cluster has. */
const firstUserOid = 16_384;

/** A database is a folder of its id: this asks no password. Those in other tablespaces do not count. */
async function databaseCount(dataDirectory: string): Promise<number> {
  const entries = await readdir(join(dataDirectory, "base"));
  return entries.filter((name) => Number(name) >= firstUserOid).length;
}
