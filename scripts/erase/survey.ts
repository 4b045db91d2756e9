import { superuser } from "../server/cluster.ts";
import { recordedDataDirectory } from "../server/data-directory-claim.ts";
import { host } from "../server/embedded.ts";
import { type ServerPlace, serverDirectory, serverFolder } from "../server/locations.ts";
import { findPostmaster } from "../server/postmaster.ts";
import type { ServerOwner } from "../server/server-record.ts";
import { begunErasure } from "../stack/begun-erasure.ts";
import { type DeclaredSettings, declaredSettings } from "../stack/declared-settings.ts";
import { projectName } from "../stack/project.ts";
import { readState, type StackState, type StateAccess } from "../stack/stack-state.ts";
import { requireDeclared } from "../stack/stacks.ts";
import type { Connection } from "../target/connection.ts";
import { type FoundServer, findServer, type Ownership } from "./server-place.ts";
import { type StackContent, stackContent, superuserPassword } from "./stack-content.ts";

/** What there is to know of a stack before anything of it goes. */
export interface Survey {
  /** undefined: the backend has no such stack. */
  state: StackState | undefined;
  content: StackContent;
  settings: DeclaredSettings;
  /** Where `up` makes the stack's server when the state knows none and the settings name no other data directory. */
  defaultPlace: ServerPlace;
  owner: ServerOwner;
}

/**
 * Reads what a stack's state and settings say of it.
 *
 * @param home see `dataHome`
 * @throws OperationError for a stack that there is not
 */
export async function surveyStack(access: StateAccess, home: string): Promise<Survey> {
  const { root, stack } = access;
  const state = await readState(access);
  if (state === undefined) await requireDeclared(root, stack);
  const owner = { clone: root, project: await projectName(root), stack };
  const folder = serverFolder(home, root, owner.project, stack);
  const recorded = await recordedDataDirectory(folder, owner);
  return {
    state,
    content: stackContent(state),
    settings: await declaredSettings(root, stack),
    defaultPlace: { folder, dataDirectory: recorded ?? serverDirectory(folder).data },
    owner,
  };
}

/** Every server that is there of a stack, and what makes them its own. */
export interface StackServers {
  found: FoundServer[];
  /** Places of an erasure that was not finished. */
  begun: readonly ServerPlace[];
  ownership: Ownership;
}

/**
 * Finds the servers of a stack on this machine: the one that its state knows, what lies where its server would be made, and what an erasure that was killed
 * has left.
 *
 * @throws OperationError (not allowed) where there are files that cannot be shown to be the stack's own
 */
export async function findServers(
  { root, stack }: StateAccess,
  home: string,
  { content, settings, defaultPlace, owner }: Survey,
): Promise<StackServers> {
  const begun = begunErasure(root, stack);
  const places = [
    ...(content.server === undefined ? [] : [content.server]),
    ...begun,
    defaultPlace,
    { ...defaultPlace, dataDirectory: serverDirectory(defaultPlace.folder).data },
    ...(settings.dataDirectory === undefined ? [] : [{ ...defaultPlace, dataDirectory: settings.dataDirectory }]),
  ];
  const directories = begun.map(({ dataDirectory }) => dataDirectory);
  const ownership = { home, owner, folder: defaultPlace.folder, begun: directories };
  const found: FoundServer[] = [];
  for (const place of distinct(places)) {
    const server = await findServer(ownership, place);
    if (server !== undefined) found.push(server);
  }
  return { found, begun, ownership };
}

function distinct(places: readonly ServerPlace[]): ServerPlace[] {
  return places.filter(
    ({ dataDirectory }, index) => places.findIndex((other) => other.dataDirectory === dataDirectory) === index,
  );
}

/** The superuser's connection to the server that the state knows; undefined: it does not run, or its password is not known. */
export async function adminConnection(access: StateAccess, { content }: Survey): Promise<Connection | undefined> {
  if (content.server === undefined) return undefined;
  const running = await findPostmaster(content.server.dataDirectory);
  const password = running === undefined ? undefined : superuserPassword(await readState(access, true));
  if (running === undefined || password === undefined) return undefined;
  return { host, port: running.port, database: "postgres", user: superuser, password, sslmode: "disable" };
}
