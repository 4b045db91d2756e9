import { cancelCommand } from "../../model/command-lines.ts";
import { type Original, originalOf, waysOut } from "../original.ts";
import { projectName } from "../project.ts";
import { readState } from "../stack-state.ts";
import { requireDeclared } from "../stacks.ts";
import { stateFile } from "../state-file.ts";
import { stateFolder } from "../state-folder.ts";
import { cacheLeftovers } from "./cache-leftovers.ts";
import { attributeLeftovers } from "./damaged-attributes.ts";
import { dockerLeftovers } from "./docker-leftovers.ts";
import { halfWritten } from "./half-written.ts";
import { incompleteUp } from "./incomplete-up.ts";
import { killedInContainer } from "./killed-in-container.ts";
import { killedInPlace } from "./killed-in-place.ts";
import { killedLoads } from "./killed-loads.ts";
import { killedRestores } from "./killed-restores.ts";
import { leftMemberships } from "./left-memberships.ts";
import { leftProcesses } from "./left-processes.ts";
import type { RecoveryContext, StackLeftover } from "./leftover.ts";
import { allServers, isOwn } from "./own-servers.ts";
import { interruptedOperations } from "./pending-operations.ts";
import { serverLeftovers } from "./server-leftovers.ts";
import { engineLocks, isInUse, lockLeftovers } from "./stack-locks.ts";
import { stateDeltas } from "./state-deltas.ts";
import { temporaries } from "./temporaries.ts";
import { unfinishedErasure } from "./unfinished-erasure.ts";
import { unknownServers } from "./unknown-servers.ts";

/**
 * Finds everything that killed runs left of a stack, in the order of recovery. Processes that could still change
 * something come first, then whatever blocks the next run, then mere clutter. Nothing is changed.
 *
 * While another run works on the stack, only processes and locks are listed, because its files look like leftovers. If
 * the engine cannot read the state because of a damaged file next to it, everything else is found after its removal.
 *
 * @throws OperationError if the stack is unknown (wrong usage), or if something cannot be checked
 */
export async function findLeftovers(context: RecoveryContext): Promise<StackLeftover[]> {
  const { env, stack } = context;
  const { root, name } = stack;
  const project = await projectName(root);
  const folder = stateFolder(stack, env);
  const processes = await leftProcesses(stack);
  const locks = folder === undefined ? [] : await engineLocks(folder, project, name);
  const found = [...processes, ...(folder === undefined ? [locksElsewhere(name)] : lockLeftovers(name, locks))];
  if (isInUse(locks)) return found;
  const damaged = await attributeLeftovers(stateFile(root, name, env));
  if (damaged.length > 0) return [...found, ...damaged];

  const state = await readState(stack);
  if (state === undefined) await requireDeclared(root, name);
  const servers = await allServers(context.home);
  const own = servers.filter((each) => isOwn(context, project, each));
  const original = await originalOf({ root, project, stack: name, env }, state?.deployment.resources ?? []);
  const ofServers: StackLeftover[] = [];
  for (const server of own) ofServers.push(...(await killedInPlace(server)), ...(await serverLeftovers(server)));
  const inContainer = original === undefined ? await killedInContainer(stack, project, state) : [];
  // Its server accepts no clients until then.
  const canAsk = original === undefined && inContainer.length === 0;
  return [
    ...found,
    ...interruptedOperations(stack, state),
    ...unfinishedErasure(stack),
    ...ofServers,
    ...inContainer,
    ...(original === undefined ? await dockerLeftovers(stack, project, state) : [ofOriginal(name, original)]),
    ...(await killedRestores(stack)),
    ...(await cacheLeftovers(env)),
    ...(await temporaries(context, own)),
    ...(await halfWritten(context, project, own, folder)),
    ...(await unknownServers(context, project, servers, state)),
    ...(canAsk ? await leftMemberships(stack, state) : []),
    ...(canAsk ? await killedLoads(stack, state) : []),
    ...stateDeltas(stack, state),
    ...(await incompleteUp(stack, state)),
  ];
}

/** Reports that this directory is a copy. Everything on the server is the original's. */
function ofOriginal(stack: string, original: Original): StackLeftover {
  return {
    kind: "server",
    unchecked: "not possible",
    found: `the server of stack "${stack}" belongs to the project directory ${original.clone}, and this one has a copy of its state: its objects were not checked`,
    advice: waysOut(original).replaceAll("\n", "\n    "),
  };
}

function locksElsewhere(stack: string): StackLeftover {
  return {
    kind: "engine-lock",
    unchecked: "not possible",
    found: `could not check whether stack "${stack}" is locked: its state is not in files on this machine`,
    advice: `If \`up\` reports a lock whose holder was killed: ${cancelCommand(stack)}`,
  };
}
