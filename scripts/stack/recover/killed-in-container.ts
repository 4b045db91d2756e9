import { readBegunInPlace } from "../../backup/restore/in-place/begun-in-place.ts";
import { completeKilled } from "../../backup/restore/in-place/in-place.ts";
import { OperationError } from "../../core/operation-error.ts";
import { withDocker } from "../../docker/client.ts";
import type { ServerOutput } from "../../model/stack-outputs.ts";
import { backupsIn, type StackRepositories } from "../backups-in.ts";
import { readDeclaredAccess } from "../declared-access.ts";
import { readOutputs } from "../outputs.ts";
import type { Stack } from "../stack.ts";
import { stackOutputsIn } from "../stack-content.ts";
import type { StackState } from "../stack-state.ts";
import type { StackLeftover } from "./leftover.ts";

/** Time limit for a start of the server, in seconds. */
const startSeconds = 600;

/** Finds a killed restore in place of a stack whose server is in a container. */
export async function killedInContainer(
  stack: Stack,
  project: string,
  state: StackState | undefined,
): Promise<StackLeftover[]> {
  const found = inState(state, project, stack.name);
  if (found === undefined) return [];
  try {
    const begun = await withDocker(found.dockerHost, (docker) => readBegunInPlace(docker, found.backups.server));
    if (begun === undefined || begun === "running") return [];
    const what = `a restore in place of stack "${stack.name}" was not completed`;
    if (begun === "elsewhere")
      return [
        { kind: "server", found: what, advice: "It ran on another machine, and may still run. Recover it there." },
      ];
    return [
      {
        kind: "server",
        found: what,
        action:
          "complete it if its clusters were exchanged, else remove the restored one, so that it has to be run again; " +
          "and start the server",
        hidesOthers: true,
        act: () => complete(stack, project),
      },
    ];
  } catch (error) {
    // An engine that does not answer is reported with the containers that cannot be checked.
    if (error instanceof OperationError) return [];
    throw error;
  }
}

/**
 * Completes or reverts the restore. The outputs are read again, because a password may have changed since.
 *
 * @returns what was done
 */
async function complete(stack: Stack, project: string): Promise<string | false> {
  const outputs = await readOutputs(stack, true);
  const found = backupsIn(outputs.server, { project, stack: stack.name });
  if (found === undefined) return false;
  const settled = await withDocker(found.dockerHost, (docker) =>
    completeKilled(docker, found.backups, {
      outputs,
      declaredAccess: () => readDeclaredAccess(stack),
      startSeconds,
      onStep: () => {},
      onNote: () => {},
    }),
  );
  return [...settled, "the server runs and accepts clients"].join("; ");
}

/** Finds the backups of a stack in its state, whose secrets are encrypted. */
function inState(state: StackState | undefined, project: string, stack: string): StackRepositories | undefined {
  const { server } = stackOutputsIn(state);
  return server === undefined ? undefined : backupsIn(server as ServerOutput, { project, stack });
}
