import type Docker from "dockerode";
import { z } from "zod";
import { ageInSeconds, ago, duration, isInFuture } from "../../core/age.ts";
import { runInContainer } from "../../docker/run-in-container.ts";
import { type DumpPlan, dumpMaxAge } from "../../model/dump-plan.ts";
import type { BackupFinding } from "../findings.ts";
import { nameOfPlanned } from "./planned.ts";

/** Summary that the container writes after each run. It matches infra/images/postgres. */
const file = "/var/lib/pgroundwork/dumps/status.json";

const scopeSchema = z.object({
  newest: z.object({ id: z.string(), finishedAt: z.string() }).nullable(),
  lastRun: z.object({ startedAt: z.string(), error: z.string().nullable() }).nullable(),
});

const statusSchema = z.object({
  /** Full dumps, and those without rows if they are planned. */
  databases: z.record(z.string(), scopeSchema.extend({ schemaOnly: scopeSchema.optional() })),
  damaged: z.array(z.object({ id: z.string(), reasons: z.array(z.string()) })),
});

/** Result of the last run of scheduled dumps, and the dumps that it found. Times in ISO 8601. */
export type ScheduledDumpStatus = z.output<typeof statusSchema>;

const hint = "`npm run pgw -- dumps list --scheduled` shows the dumps; the backup container's log has each run.";

const noRunYet = "No scheduled dump has been made yet.";

/** Returns true for the finding that the container has made no dumps yet, which follow within minutes of `up`. */
export function isBeforeFirstRun({ text }: BackupFinding): boolean {
  return text === noRunYet;
}

/** Finds problems of the scheduled dumps: in the result of their last run, and in the age of the newest ones. */
export async function findInScheduledDumps(
  docker: Docker,
  container: string,
  plan: DumpPlan,
  now: Date,
): Promise<BackupFinding[]> {
  const { stdout } = await runInContainer(docker, container, { command: ["sh", "-c", `cat ${file} 2>/dev/null`] });
  if (stdout === "") return judgeScheduledDumps(undefined, plan, now);
  try {
    return judgeScheduledDumps(statusSchema.parse(JSON.parse(stdout)), plan, now);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    return [{ level: "unknown", text: "The state of the scheduled dumps cannot be read.", hint }];
  }
}

/** Compares the scheduled dumps with their plan. undefined: there was no run yet. */
export function judgeScheduledDumps(
  status: ScheduledDumpStatus | undefined,
  plan: Pick<DumpPlan, "schedule" | "schemaOnly">,
  now: Date,
): BackupFinding[] {
  if (status === undefined) return [{ level: "unknown", text: noRunYet, hint: "The first one follows `up`." }];
  const found = Object.entries(status.databases).flatMap(([database, { schemaOnly, ...full }]): BackupFinding[] => [
    ...judgeNewest(database, full, dumpMaxAge(plan), now),
    // The plan in the container is older than the outputs while `up` runs.
    ...(schemaOnly === undefined || plan.schemaOnly === undefined
      ? []
      : judgeNewest(nameOfPlanned({ database, scope: "schema" }), schemaOnly, dumpMaxAge(plan.schemaOnly), now)),
  ]);
  const damaged = status.damaged.map(({ id, reasons }): BackupFinding => {
    const text = `The scheduled dump ${id} is damaged: ${reasons.join("; ")}.`;
    return { level: "wrong", text, hint: "Check the disk. Retention removes the dump, once there is an intact one." };
  });
  return [...found, ...damaged];
}

/** Judges the last run and the newest dump of one database and scope. */
function judgeNewest(
  name: string,
  { newest, lastRun }: z.output<typeof scopeSchema>,
  maxAgeSeconds: number,
  now: Date,
): BackupFinding[] {
  const failed: BackupFinding[] =
    lastRun === null || lastRun.error === null
      ? []
      : [
          {
            level: "wrong",
            text: `The last scheduled dump of ${name}, started at ${lastRun.startedAt}, failed: ${lastRun.error}.`,
            hint,
          },
        ];
  if (newest === null) {
    if (failed.length > 0) return failed;
    return [{ level: "wrong", text: `There is no intact scheduled dump of ${name}.`, hint }];
  }
  const age = ageInSeconds(newest.finishedAt, now);
  if (isInFuture(age)) {
    const text = `The time of the newest scheduled dump of ${name}, ${newest.finishedAt}, is in the future, so its age is not known.`;
    return [...failed, { level: "wrong", text, hint: "Compare the clocks of both machines with the real time." }];
  }
  if (age <= maxAgeSeconds) return failed;
  const text = `The newest intact scheduled dump of ${name}, ${newest.id}, was made ${ago(age)}; at most ${duration(maxAgeSeconds)} are expected.`;
  return [...failed, { level: "wrong", text, hint }];
}
