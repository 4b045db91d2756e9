import { projectName } from "../stack/project.ts";
import { readState } from "../stack/stack-state.ts";
import { requireDeclared } from "../stack/stacks.ts";
import { stateFolder } from "../stack/state-folder.ts";
import { cacheLeftovers } from "./cache-leftovers.ts";
import { dockerLeftovers } from "./docker-leftovers.ts";
import { engineLocks, isInUse, lockFindings } from "./engine-locks.ts";
import type { Finding, Scene } from "./finding.ts";
import { halfWritten } from "./half-written.ts";
import { leftProcesses } from "./left-processes.ts";
import { allServers, isOwn } from "./own-servers.ts";
import { pendingFindings } from "./pending-operations.ts";
import { serverLeftovers } from "./server-leftovers.ts";
import { unfinishedErasure } from "./unfinished-erasure.ts";
import { unknownServers } from "./unknown-servers.ts";

/**
 * Everything that killed runs left of a stack, in the order in which it is taken back: first who could still change something, then what stands in the
 * way, then what is only in the way of tidiness. Nothing is changed.
 *
 * While somebody works on the stack, only that is found: what is under way looks as what was left.
 *
 * @throws OperationError: an unknown stack (wrong usage), or what could not be looked at
 */
export async function survey(scene: Scene): Promise<Finding[]> {
  const { engine, env, root, stack } = scene;
  const project = await projectName(root);
  const folder = stateFolder(engine, env, root);
  const processes = await leftProcesses(scene);
  const locks = folder === undefined ? [] : await engineLocks(folder, project, stack);
  const found = [...processes, ...(folder === undefined ? [locksElsewhere(stack)] : lockFindings(stack, locks))];
  if (isInUse(locks)) return found;

  const state = await readState(scene);
  if (state === undefined) await requireDeclared(root, stack);
  const servers = await allServers(scene.home);
  const leftovers: Finding[] = [];
  for (const server of servers.filter((each) => isOwn(scene, project, each)))
    leftovers.push(...(await serverLeftovers(server)));
  return [
    ...found,
    ...pendingFindings(scene, state),
    ...unfinishedErasure(scene),
    ...leftovers,
    ...(await dockerLeftovers(scene, project, state)),
    ...(await cacheLeftovers(scene)),
    ...(await halfWritten(scene, project, folder)),
    ...(await unknownServers(scene, project, servers, state)),
  ];
}

function locksElsewhere(stack: string): Finding {
  return {
    kind: "engine-lock",
    found: `could not tell whether stack "${stack}" is locked: its state is not kept in files of this machine`,
    advice: `If \`up\` says that it is, and whoever holds it was killed: eval "$(npm run -s pgw -- engine env)" && pulumi cancel --yes --stack ${stack}`,
  };
}
