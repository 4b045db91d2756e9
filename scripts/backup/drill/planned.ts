import type Docker from "dockerode";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { StackBackups } from "../stack-backups.ts";
import { type Drill, type DrillRequest, runDrill } from "./drill.ts";
import { readDrills, recordDrill } from "./record.ts";
import { summarizeDrill } from "./run.ts";
import { type DrillState, isDrillDue, judgeDrills } from "./state.ts";

/** A drill, and the reason why it was not recorded. Omitted if it was. */
export type RecordedDrill = Drill & { notRecorded?: string };

/** A drill that is not due, and the state of the last ones. */
export type NotDue = { due: false /** Next moment of the schedule, ISO 8601. */; next: string } & DrillState;

/** Runs a drill without evidence and records it. */
export async function runRecordedDrill(
  docker: Docker,
  stack: StackBackups,
  request: DrillRequest,
): Promise<RecordedDrill> {
  const drill = await runDrill(docker, stack, request);
  try {
    await recordDrill(docker, stack.container, summarizeDrill(drill, null));
    return drill;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { ...drill, notRecorded: error.message };
  }
}

/**
 * Returns undefined if a drill is due by the plan of the stack.
 *
 * @throws OperationError (wrong usage) if no drills are planned, or if the record cannot be read
 */
export async function findNotDue(docker: Docker, stack: StackBackups, now: Date): Promise<NotDue | undefined> {
  const { drill: plan, container, drillContainer, owner } = stack;
  if (plan === undefined)
    throw new OperationError(`No restore drills are planned for stack "${owner.stack}".`, {
      hint: `Add drill: true to pgroundwork:backups in Pulumi.${owner.stack}.yaml, and run \`up\`.`,
      exitCode: exitCode.usage,
    });
  const record = await readDrills(docker, container, drillContainer);
  const due = isDrillDue(record, plan, now);
  return due.due ? undefined : { ...due, ...judgeDrills({ record }, plan, now) };
}
