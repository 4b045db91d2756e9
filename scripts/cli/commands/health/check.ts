import { type Command, InvalidArgumentError } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption } from "../../options.ts";
import { style } from "../../output.ts";
import { table } from "../../table.ts";
import { type HealthTarget, healthSettings, healthTarget, withHealthTarget } from "./target.ts";

interface CheckOptions extends HealthTarget {
  require?: string[];
}

const codes = {
  ok: exitCode.done,
  warning: exitCode.pending,
  critical: exitCode.wrong,
  unknown: exitCode.wrong,
} as const;
const colors = {
  ok: "green",
  warning: "yellow",
  critical: "red",
  unknown: "yellow",
  "not-applicable": "gray",
} as const;

export function registerHealthCheck(health: Command): void {
  withHealthTarget(health.command("check"))
    .description(
      "show the state of a server, one line for each subject (exit code 4 on warnings, 5 if a subject is critical or a " +
        "required one is unknown)",
    )
    .option(
      "--require <subjects>",
      "subjects that must be known, separated by commas, besides server and connections",
      list,
    )
    .addOption(jsonOption())
    .action(action<CheckOptions, []>(check));
}

async function check(context: CommandContext, { require: more = [], ...target }: CheckOptions) {
  const found = await healthTarget(context, target);
  const settings = await healthSettings(context, found);
  const { takeSnapshot } = await import("../../../health/snapshot.ts");
  const { judge, requiredSubjects, subjectLabel } = await import("../../../health/judge.ts");
  const { ratesBetween } = await import("../../../health/rates.ts");
  const snapshot = await takeSnapshot(found.connection, settings);
  const rates = ratesBetween(undefined, snapshot);
  const status = judge(snapshot, rates, settings, [...requiredSubjects, ...more]);
  context.out.answer({ ...status, takenAt: snapshot.takenAt }, () =>
    table(
      ["subject", "state", "what was found"],
      status.subjects.map(({ level, detail, ...subject }) => [
        subjectLabel(subject),
        style(colors[level], level.replace("-", " ")),
        detail,
      ]),
    ),
  );
  return codes[status.level];
}

/** Subjects that can be required. */
const known = [
  "server",
  "connections",
  "queries",
  "locks",
  "storage",
  "archive",
  "replication",
  "freeze",
  "migrations",
  "backups",
  "jobs",
  "errors",
  "pooler",
];

function list(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !known.includes(name));
  if (wrong === undefined) return names;
  throw new InvalidArgumentError(`"${wrong}" is not a subject. Subjects: ${known.join(", ")}.`);
}
