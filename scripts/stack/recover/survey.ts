import { cancelCommand } from "../../model/command-lines.ts";
import { projectName } from "../project.ts";
import { readState } from "../stack-state.ts";
import { requireDeclared } from "../stacks.ts";
import { stateFolder } from "../state-folder.ts";
import { cacheLeftovers } from "./cache-leftovers.ts";
import { dockerLeftovers } from "./docker-leftovers.ts";
import { engineLocks, isInUse, lockFindings } from "./engine-locks.ts";
import type { Finding, Scene } from "./finding.ts";
import { halfWritten } from "./half-written.ts";
import { killedRestores } from "./killed-restores.ts";
import { leftMemberships } from "./left-memberships.ts";
import { leftProcesses } from "./left-processes.ts";
import { allServers, isOwn } from "./own-servers.ts";
import { pendingFindings } from "./pending-operations.ts";
import { serverLeftovers } from "./server-leftovers.ts";
import { stateDeltas } from "./state-deltas.ts";
import { temporaries } from "./temporaries.ts";
import { unfinishedErasure } from "./unfinished-erasure.ts";
import { unknownServers } from "./unknown-servers.ts";

/**
 * Finds everything that killed runs left of a stack, in the order of recovery. Processes that could still change
 * something come first, then whatever blocks the next run, then mere clutter. Nothing is changed.
 *
 * While another run works on the stack, only processes and locks are listed, because its files look like leftovers.
 *
 * @throws OperationError if the stack is unknown (wrong usage), or if something cannot be checked
 */
export async function survey(scene: Scene): Promise<Finding[]> {
  const { env, root, stack } = scene;
  const project = await projectName(root);
  const folder = stateFolder(scene, env);
  const processes = await leftProcesses(scene);
  const locks = folder === undefined ? [] : await engineLocks(folder, project, stack);
  const found = [...processes, ...(folder === undefined ? [locksElsewhere(stack)] : lockFindings(stack, locks))];
  if (isInUse(locks)) return found;

  const state = await readState(scene);
  if (state === undefined) await requireDeclared(root, stack);
  const servers = await allServers(scene.home);
  const own = servers.filter((each) => isOwn(scene, project, each));
  const leftovers: Finding[] = [];
  for (const server of own) leftovers.push(...(await serverLeftovers(server)));
  return [
    ...found,
    ...pendingFindings(scene, state),
    ...unfinishedErasure(scene),
    ...leftovers,
    ...(await dockerLeftovers(scene, project, state)),
    ...(await killedRestores(scene)),
    ...(await cacheLeftovers(scene)),
    ...(await temporaries(scene, own)),
    ...(await halfWritten(scene, project, own, folder)),
    ...(await unknownServers(scene, project, servers, state)),
    ...(await leftMemberships(scene, state)),
    ...stateDeltas(scene, state),
  ];
}

function locksElsewhere(stack: string): Finding {
  return {
    kind: "engine-lock",
    found: `could not check whether stack "${stack}" is locked: its state is not in files on this machine`,
    advice: `If \`up\` reports a lock whose holder was killed: ${cancelCommand(stack)}`,
  };
}
