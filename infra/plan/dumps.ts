import type { DeclaredDumps, DumpPlan } from "../../scripts/model/dump-plan.ts";

/** Mount path of the volume with scheduled dumps in the backup container. It matches infra/images/postgres. */
export const dumpsPath = "/var/lib/pgroundwork/dumps";

/** Scheduled dumps of a stack's databases. */
export interface ScheduledDumps {
  plan: DumpPlan;
  stack: string;
  databases: readonly string[];
  /** Statements that describe a dump, by purpose. */
  statements: Readonly<Record<string, string>>;
}

/** Returns the environment of the program that makes the dumps. It contains no secret. */
export function dumpsEnvironment({ plan, stack, databases, statements }: ScheduledDumps): string[] {
  const { retentionDays, recipients, schemaOnly } = plan;
  const schema = schemaOnly === undefined ? {} : { schemaOnly: { retentionDays: schemaOnly.retentionDays } };
  const program = { source: stack, databases, retentionDays, recipients, statements, ...schema };
  return [`PGW_DUMPS=${JSON.stringify(program)}`];
}

/** Returns the arguments of the scheduler: the schedule of full dumps, and that of dumps without rows. */
export function dumpSchedules({ schedule, schemaOnly }: DumpPlan): string[] {
  return [schedule, ...(schemaOnly === undefined ? [] : [schemaOnly.schedule])];
}

/** Returns the plan of dumps for the stack's outputs; undefined if the settings plan none. */
export function dumpPlanOf(dumps: DeclaredDumps | undefined): DumpPlan | undefined {
  if (dumps === undefined) return undefined;
  const { isPlain: _, ...plan } = dumps;
  return plan;
}
