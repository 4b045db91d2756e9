import { clusterState, superuser } from "../server/cluster.ts";
import { assertOwnToStop } from "../server/data-directory-claim.ts";
import { host } from "../server/embedded.ts";
import { type ServerPlace, serverDirectory } from "../server/locations.ts";
import { findPostmaster } from "../server/postmaster.ts";
import { begunErasure, isServerPlace } from "../stack/begun-erasure.ts";
import { readState, type StateAccess } from "../stack/stack-state.ts";
import { eraseServer, type FoundServer, findServer, type Ownership, stopOwn } from "./server-place.ts";
import { superuserPassword } from "./stack-content.ts";
import type { ErasableData, FoundData, StackData } from "./stack-data.ts";
import type { Survey } from "./survey.ts";

/**
 * What the embedded kind of server has of a stack: data directories on this machine.
 *
 * @param home see `dataHome`
 */
export function embeddedData(access: StateAccess, home: string, survey: Survey): StackData {
  const { content, settings, defaultPlace, owner } = survey;
  const expected = settings.dataDirectory ?? defaultPlace.dataDirectory;
  const place = content.server ?? { ...defaultPlace, dataDirectory: expected };
  return {
    async look() {
      await assertOwnToStop(place.dataDirectory, owner);
      const running = await findPostmaster(place.dataDirectory);
      const hasData = (await clusterState(place.dataDirectory)).kind === "cluster";
      return {
        running: running && `the server on port ${running.port}`,
        hasData,
        place: place.dataDirectory,
        goes: [],
        stays: [],
        wayBack:
          expected === place.dataDirectory
            ? undefined
            : `set pgroundwork:dataDirectory to that folder in Pulumi.${access.stack}.yaml, then`,
        answer: { dataDirectory: hasData ? place.dataDirectory : null },
      };
    },

    async stop() {
      await stopOwn(home, owner, place);
    },

    async admin() {
      if (content.server === undefined) return undefined;
      const running = await findPostmaster(content.server.dataDirectory);
      const password = running === undefined ? undefined : superuserPassword(await readState(access, true));
      if (running === undefined || password === undefined) return undefined;
      return { host, port: running.port, database: "postgres", user: superuser, password, sslmode: "disable" };
    },

    find: () => findServers(access, home, survey),
  };
}

/** The servers of a stack on this machine: the one that its state knows, what lies where its server would be made, and what an erasure that was killed has left. */
async function findServers(
  { root, stack }: StateAccess,
  home: string,
  { content, settings, defaultPlace, owner }: Survey,
): Promise<ErasableData> {
  const begun = begunErasure(root, stack).filter(isServerPlace);
  const places = [
    ...(content.server === undefined ? [] : [content.server]),
    ...begun,
    defaultPlace,
    { ...defaultPlace, dataDirectory: serverDirectory(defaultPlace.folder).data },
    ...(settings.dataDirectory === undefined ? [] : [{ ...defaultPlace, dataDirectory: settings.dataDirectory }]),
  ];
  const directories = begun.map(({ dataDirectory }) => dataDirectory);
  const ownership = { home, owner, folder: defaultPlace.folder, begun: directories };
  const servers: FoundServer[] = [];
  for (const place of distinct(places)) {
    const server = await findServer(ownership, place);
    if (server !== undefined) servers.push(server);
  }
  return {
    found: servers.filter(isWorthNaming).map(describe),
    places: servers.map(({ folder, dataDirectory }) => ({ folder, dataDirectory })),
    begun,
    async erase(onStep) {
      const remains = { foreign: [] as string[], linked: [] as string[] };
      for (const server of servers) {
        const { foreign, linked } = await erase(ownership, server, onStep);
        remains.foreign.push(...foreign);
        remains.linked.push(...linked);
      }
      return remains;
    },
  };
}

function distinct(places: readonly ServerPlace[]): ServerPlace[] {
  return places.filter(
    ({ dataDirectory }, index) => places.findIndex((other) => other.dataDirectory === dataDirectory) === index,
  );
}

/** A folder in which there is no data counts once, and not where it goes with data of another place. */
function isWorthNaming(server: FoundServer, _: number, all: readonly FoundServer[]): boolean {
  const [first, ...others] = all.filter(({ folder }) => folder === server.folder);
  return server.hasData || (first === server && !others.some(({ hasData }) => hasData));
}

function describe(server: FoundServer): FoundData {
  const { folder, dataDirectory, bytes, running, hasData } = server;
  if (!hasData) return { what: `the rest of a server in ${folder}`, bytes, state: "no data", hasData, told: server };
  const state = running === undefined ? "stopped" : `running on port ${running.port}`;
  return { what: `the server's data in ${dataDirectory} and its log`, bytes, state, hasData, told: server };
}

async function erase(ownership: Ownership, server: FoundServer, onStep: (step: string) => void) {
  // One that no state knows runs on until here.
  await stopOwn(ownership.home, ownership.owner, server);
  onStep(`deleting ${server.dataDirectory}`);
  return eraseServer(ownership, server);
}
