import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import type { SchemaDrift } from "../../../migrate/schema-drift.ts";
import type { MigrationProblem } from "../../../migrate/status.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { showStep } from "../../step.ts";
import { resolveTargets, type Target, type TargetOptions } from "../../target.ts";
import { describeDifference } from "./differences.ts";
import { answerOfDatabases } from "./verb.ts";

interface VerifyOptions extends TargetOptions {
  schema?: boolean;
}

export function registerMigrateVerify(migrate: Command): void {
  databaseVerb(migrate, "verify", "check that the applied migrations match their files (exit code 5 if not)")
    .option("--schema", "also compare the live schema with the one that the applied files create in a scratch cluster")
    .action(action<VerifyOptions, []>(verify));
}

async function verify(context: CommandContext, options: VerifyOptions) {
  const { describeProblem, problemsTitle, readKnownStatus } = await import("../../../migrate/verify.ts");
  const found: Verified[] = [];
  for (const target of await resolveTargets(context, options)) {
    const { applied, problems } = await readKnownStatus(target.connection, target.folder);
    const drift = problems.length === 0 && options.schema === true ? await schemaDrift(context, target) : undefined;
    const edited = applied.filter(({ acceptedEdit }) => acceptedEdit !== undefined).map(({ filename }) => filename);
    found.push({ target, verified: applied.length - edited.length, edited, problems, drift });
  }
  const answers = found.map(({ target: { database }, verified, edited, problems, drift }) => {
    return { database, verified, edited, problems, ...(drift === undefined ? {} : { schema: drift }) };
  });
  const texts = { describeProblem, problemsTitle };
  context.out.answer(answerOfDatabases(answers), () => found.map((each) => describe(each, texts)).join("\n"));
  return found.every(isProven) ? exitCode.done : exitCode.wrong;
}

/** Result for one database. */
interface Verified {
  target: Target;
  /** Number of applied migrations that were compared with their files. */
  verified: number;
  /** Applied files that were edited and accept that with `AllowInvalidHash`: their content is not what ran. */
  edited: readonly string[];
  problems: readonly MigrationProblem[];
  /** Undefined if the schema was not compared. */
  drift: SchemaDrift | undefined;
}

interface ProblemTexts {
  describeProblem: (problem: MigrationProblem) => string;
  problemsTitle: (problems: readonly MigrationProblem[]) => string;
}

function describe({ target: { label }, verified, edited, problems, drift }: Verified, texts: ProblemTexts): string {
  if (problems.length > 0)
    return [`${label}: ${texts.problemsTitle(problems)}:`, ...problems.map(texts.describeProblem)].join("\n");
  const files = [
    `${label}: ${verified} applied migrations match their files`,
    ...edited.map((name) => `${label}: ${name} was edited after it was applied, as its AllowInvalidHash accepts`),
  ].join("\n");
  return drift === undefined ? files : [files, describeDrift(label, drift)].join("\n");
}

function isProven({ target, problems, drift }: Verified): boolean {
  if (problems.length > 0) return false;
  return drift === undefined || (drift.differences.length === 0 && !isDoubtful(drift, target));
}

/**
 * Returns true if the trial ran on another major version and the stack is protected: for real data that proves nothing.
 */
function isDoubtful({ major, liveMajor }: SchemaDrift, target: Target): boolean {
  return target.protected === true && major !== liveMajor;
}

async function schemaDrift(
  context: CommandContext,
  { connection, admin, docker, folder }: Target,
): Promise<SchemaDrift> {
  const { readSchemaDrift } = await import("../../../migrate/schema-drift.ts");
  const onProgress = (text: string) => showStep(context.out, text);
  return readSchemaDrift({ connection, admin, docker, folder, onProgress, signal: context.signal });
}

function describeDrift(label: string, { objects, differences, skippedHooks, major, liveMajor }: SchemaDrift): string {
  const notes = skippedHooks.map((hook) => `${label}: compared without the hook ${hook}, because it runs a command`);
  if (major !== liveMajor) notes.push(`${label}: tried on PostgreSQL ${major}, live is ${liveMajor}`);
  if (differences.length === 0) return [`${label}: the schema matches them, ${objects} objects`, ...notes].join("\n");
  const count = differences.length === 1 ? "1 object differs" : `${differences.length} objects differ`;
  return [`${label}: ${count} from their schema:`, ...differences.map(describeDifference), ...notes].join("\n");
}
