import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { clusterState } from "../server/cluster.ts";
import { folderOfLastServer } from "../server/data-directory-claim.ts";
import { stopServer } from "../server/embedded.ts";
import { serverDirectory } from "../server/locations.ts";
import { findPostmaster } from "../server/postmaster.ts";
import type { StackState } from "../stack/stack-state.ts";
import type { Finding, Scene } from "./finding.ts";
import { isOwn, type KnownServer } from "./own-servers.ts";

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
    if (known.has(server.folder) || (await clusterState(server.dataDirectory)).kind !== "cluster") continue;
    if (isOwn(scene, project, server)) findings.push(await ownServer(scene, server));
    else if (server.record !== undefined && !existsSync(server.record.clone))
      findings.push(await orphanedServer(scene, server));
  }
  return findings;
}

function knownFolders(state: StackState | undefined): unknown[] {
  const servers = (state?.deployment.resources ?? []).filter(({ type }) => type === serverType);
  return servers.map(({ outputs }) => outputs?.folder);
}

async function ownServer({ stack }: Scene, { dataDirectory }: KnownServer): Promise<Finding> {
  return {
    kind: "server",
    found: `the state of stack "${stack}" does not know its server: ${await describe(dataDirectory)}`,
    advice: "The next `up` takes it over, with new passwords.",
  };
}

async function orphanedServer({ home, stopOrphans }: Scene, server: KnownServer): Promise<Finding> {
  const { folder, record, dataDirectory } = server;
  const finding: Finding = {
    kind: "server",
    found: `the clone ${record?.clone} is gone (or was moved), the server of its stack "${record?.stack}" is not: ${await describe(dataDirectory)}`,
    advice: `Its data is kept. A stack gets it with pgroundwork:dataDirectory: ${dataDirectory}`,
  };
  const running = (await findPostmaster(dataDirectory)) !== undefined;
  // Another stack may have taken the data over.
  const isItsOwn = (await folderOfLastServer(dataDirectory)) === folder;
  if (!running || !isItsOwn) return finding;
  if (!stopOrphans) return { ...finding, advice: `${finding.advice} --stop-orphans stops the server.` };
  return {
    ...finding,
    action: "stop the server and keep its data",
    act: async () => void (await stopServer(home, { data: dataDirectory, log: serverDirectory(folder).log })),
  };
}

async function describe(dataDirectory: string): Promise<string> {
  const running = await findPostmaster(dataDirectory);
  const state = running === undefined ? "stopped" : `running on port ${running.port} (pid ${running.pid})`;
  const megabytes = Math.ceil((await bytesIn(dataDirectory)) / 1_000_000);
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

/** What goes while it is counted counts as nothing. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return 0;
        throw error;
      },
    );
  }
  return bytes;
}
