import { type Command, InvalidArgumentError } from "commander";
import { describeConnection } from "../../connection/connection.ts";
import { exitCode } from "../../core/operation-error.ts";
import { databaseFolders, requireDatabase } from "../../databases/database-file.ts";
import type { ValidateOptions, Validation } from "../../validate/validate.ts";
import { action, type CommandContext } from "../context.ts";
import { databaseVerb } from "../options.ts";
import { showStep } from "../step.ts";
import { givenConnection, resolveTargets, type TargetOptions } from "../target.ts";
import { answerOfDatabases } from "./migrate/verb.ts";
import { describeValidation } from "./validate-text.ts";

interface ValidateCommandOptions extends TargetOptions {
  only?: string[];
  require?: string[];
  statementTimeout?: number;
  samples?: number;
}

/** A database to validate, and its name for messages. */
interface Validated extends Pick<ValidateOptions, "connection" | "checkConnection" | "folder"> {
  label: string;
}

export function registerValidate(program: Command): void {
  databaseVerb(
    program,
    "validate",
    "examine the data of databases: rows, constraints, keys, sequences, indexes, checksums, and the queries in " +
      "migrations/<database>/checks; changes nothing (exit code 5 on errors, 4 on warnings and if something is unknown)",
  )
    .option("--only <subjects>", "subjects to examine, separated by commas", list)
    .option("--require <subjects>", "subjects that must be known, separated by commas: exit code 5 if not", list)
    .option("--statement-timeout <duration>", "time limit of each query (default: 10m)", timeout)
    .option("--samples <number>", "rows to show of each finding (default: 5)", samples)
    .action(action<ValidateCommandOptions, []>(validateCommand));
}

async function validateCommand(context: CommandContext, options: ValidateCommandOptions) {
  const { selectSubjects, validate } = await import("../../validate/validate.ts");
  const { only, require: required = [], statementTimeout, samples: sampleLimit } = options;
  selectSubjects(only);
  selectSubjects(required);
  const limits = {
    ...(statementTimeout === undefined ? {} : { statementTimeoutMs: statementTimeout }),
    ...(sampleLimit === undefined ? {} : { sampleLimit }),
  };
  const found: { label: string; validation: Validation }[] = [];
  for (const { label, ...target } of await databasesOf(context, options)) {
    const onSubject = (title: string) => showStep(context.out, `${label}: ${title}`);
    const validation = await validate({ ...target, ...limits, only, onSubject, signal: context.signal });
    found.push({ label, validation });
  }
  context.out.answer(answerOfDatabases(found.map(({ validation }) => validation)), () =>
    found.map(({ label, validation }) => describeValidation(label, validation)).join("\n\n"),
  );
  return codeOf(
    found.map(({ validation }) => validation),
    required,
  );
}

/** Returns any PostgreSQL by URL or environment, with its folder if there is one, else the databases of the stack. */
async function databasesOf(context: CommandContext, options: TargetOptions): Promise<Validated[]> {
  const given = givenConnection(context, options);
  if (given !== undefined) {
    const migrations = `${context.root}/migrations`;
    const name = options.database ?? given.database;
    if (options.database !== undefined) await requireDatabase(migrations, name);
    const folder = (await databaseFolders(migrations)).get(name);
    return [{ connection: given, folder, label: describeConnection(given) }];
  }
  const targets = await resolveTargets(context, options);
  return targets.map(({ connection, admin, folder, label }) => {
    return { connection: admin, checkConnection: connection, folder, label };
  });
}

function codeOf(validations: readonly Validation[], required: readonly string[]) {
  const outcomes = validations.flatMap(({ subjects }) => subjects);
  const levels = new Set(validations.flatMap(({ findings }) => findings.map(({ level }) => level)));
  const isMissing = validations.some(({ subjects }) =>
    required.some((name) => {
      const outcome = subjects.find((each) => each.name === name);
      return outcome === undefined || outcome.state === "not available" || outcome.unknown.length > 0;
    }),
  );
  if (levels.has("error") || isMissing) return exitCode.wrong;
  return levels.has("warning") || outcomes.some(({ unknown }) => unknown.length > 0) ? exitCode.pending : exitCode.done;
}

function list(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("expected names of subjects, separated by commas.");
  return names;
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, m: 60_000, h: 3_600_000 };

function timeout(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,9})(ms|s|min|m|h)$/.exec(text) ?? [];
  const milliseconds = Number(number) * (unitsMs[unit] ?? 0);
  if (milliseconds >= 1 && milliseconds <= 2_147_483_647) return milliseconds;
  throw new InvalidArgumentError("expected a duration such as 30s, 10m or 2h.");
}

function samples(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number from 0 to 999.");
}
