import { requireUnchanged } from "../../core/unchanged.ts";
import { clusterState, superuser } from "../../server/cluster.ts";
import { assertOwnToStop } from "../../server/data-directory-claim.ts";
import { host } from "../../server/embedded.ts";
import { type ServerPlace, serverDirectory } from "../../server/locations.ts";
import { findPostmaster, type Postmaster } from "../../server/postmaster.ts";
import { begunErasure, isServerPlace } from "../begun-erasure.ts";
import type { Stack } from "../stack.ts";
import { superuserPassword } from "../stack-content.ts";
import { readState } from "../stack-state.ts";
import { eraseServer, type FoundServer, findServer, type Ownership, stopOwn } from "./server-place.ts";
import { type ErasableData, type FoundData, leftAlone, type StackData } from "./stack-data.ts";
import type { Survey } from "./survey.ts";

/**
 * Returns a stack's data on this machine: the data directories of embedded servers.
 *
 * @param home see `dataHome`
 */
export function embeddedData(stack: Stack, home: string, survey: Survey): StackData {
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
        firstStep:
          expected === place.dataDirectory
            ? undefined
            : `Set pgroundwork:dataDirectory to that folder in Pulumi.${stack.name}.yaml; then`,
        answer: { dataDirectory: hasData ? place.dataDirectory : null },
        facts: [
          hasData ? `data in ${place.dataDirectory}` : `no data in ${place.dataDirectory}`,
          ...processOf(running),
        ],
      };
    },

    async stop({ facts }) {
      const running = await findPostmaster(place.dataDirectory);
      if (running === undefined) return;
      requireUnchanged(`Stack "${stack.name}"`, facts, [...facts, ...processOf(running)], leftAlone);
      await stopOwn(home, owner, place);
    },

    async admin() {
      if (content.server === undefined) return { reason: "the stack has no state with its superuser's password" };
      const running = await findPostmaster(content.server.dataDirectory);
      if (running === undefined) return { reason: "the server is not running" };
      const password = superuserPassword(await readState(stack, true));
      if (password === undefined) return { reason: "the state does not have its superuser's password" };
      const { port } = running;
      return { connection: { host, port, database: "postgres", user: superuser, password, sslmode: "disable" } };
    },

    find: () => findServers(stack, home, survey),
  };
}

/**
 * Finds a stack's servers on this machine: the one in its state, those at its default and configured locations, and
 * those of an erasure that was killed.
 */
async function findServers(
  { root, name }: Stack,
  home: string,
  { content, settings, defaultPlace, owner }: Survey,
): Promise<ErasableData> {
  const begun = begunErasure(root, name).filter(isServerPlace);
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
    facts: servers.flatMap(({ dataDirectory, hasData, running }) => [
      hasData ? `data in ${dataDirectory}` : `no data in ${dataDirectory}`,
      ...processOf(running),
    ]),
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

function processOf(running: Postmaster | undefined): string[] {
  return running === undefined ? [] : [`the server on port ${running.port} (pid ${running.pid})`];
}

function distinct(places: readonly ServerPlace[]): ServerPlace[] {
  return places.filter(
    ({ dataDirectory }, index) => places.findIndex((other) => other.dataDirectory === dataDirectory) === index,
  );
}

/**
 * Returns true if a server is listed. A folder without data is listed once, and not if it goes with the data of another
 * location.
 */
function isWorthNaming(server: FoundServer, _: number, all: readonly FoundServer[]): boolean {
  const [first, ...others] = all.filter(({ folder }) => folder === server.folder);
  return server.hasData || (first === server && !others.some(({ hasData }) => hasData));
}

function describe(server: FoundServer): FoundData {
  const { folder, dataDirectory, bytes, running, hasData } = server;
  if (!hasData)
    return { what: `the remaining files of a server in ${folder}`, bytes, state: "no data", hasData, told: server };
  const state = running === undefined ? "stopped" : `running on port ${running.port}`;
  return { what: `the server's data in ${dataDirectory} and its log`, bytes, state, hasData, told: server };
}

async function erase(ownership: Ownership, server: FoundServer, onStep: (step: string) => void) {
  // A server that the state does not know still runs here and is stopped. One that another run has started since is
  // left running, and refused below.
  const running = await findPostmaster(server.dataDirectory);
  if (running?.pid === server.running?.pid) await stopOwn(ownership.home, ownership.owner, server);
  onStep(`deleting ${server.dataDirectory}`);
  return eraseServer(ownership, server);
}
