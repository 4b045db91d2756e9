import type { DumpPlan } from "../../scripts/model/dump-plan.ts";

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
  const { retentionDays, recipients } = plan;
  return [`PGW_DUMPS=${JSON.stringify({ source: stack, databases, retentionDays, recipients, statements })}`];
}
