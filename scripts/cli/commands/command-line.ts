import { Command, CommanderError } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import { projectFolder } from "../../core/kit-folder.ts";
import { exitCode } from "../../core/operation-error.ts";
import { redact } from "../../core/redact.ts";
import { surviveLostOutput } from "../closed-pipe.ts";
import { reportError } from "../failure.ts";
import { Output } from "../output.ts";
import { type Registration, register } from "../registration.ts";
import { asTyped } from "../typed-line.ts";

/** All commands, in the order in which help lists them. */
const commands: Readonly<Record<string, Registration>> = {
  up: async () => (await import("./up.ts")).registerUp,
  preview: async () => (await import("./preview.ts")).registerPreview,
  refresh: async () => (await import("./refresh.ts")).registerRefresh,
  down: async () => (await import("./down.ts")).registerDown,
  destroy: async () => (await import("./destroy/destroy.ts")).registerDestroy,
  recover: async () => (await import("./recover.ts")).registerRecover,
  status: async () => (await import("./status.ts")).registerStatus,
  setup: async () => (await import("./setup.ts")).registerSetup,
  outputs: async () => (await import("./outputs.ts")).registerOutputs,
  stacks: async () => (await import("./stacks.ts")).registerStacks,
  url: async () => (await import("./url.ts")).registerUrl,
  psql: async () => (await import("./psql.ts")).registerPsql,
  logs: async () => (await import("./logs.ts")).registerLogs,
  database: async () => (await import("./database.ts")).registerDatabase,
  migrate: async () => (await import("./migrate/migrate.ts")).registerMigrate,
  seed: async () => (await import("./seed/seed.ts")).registerSeed,
  import: async () => (await import("./import/import.ts")).registerImport,
  types: async () => (await import("./types.ts")).registerTypes,
  validate: async () => (await import("./validate.ts")).registerValidate,
  backup: async () => (await import("./backup/backup.ts")).registerBackup,
  health: async () => (await import("./health/health.ts")).registerHealth,
  doctor: async () => (await import("./doctor.ts")).registerDoctor,
  "index-advice": async () => (await import("./index-advice.ts")).registerIndexAdvice,
  dumps: async () => (await import("./dumps/dumps.ts")).registerDumps,
  jobs: async () => (await import("./jobs/jobs.ts")).registerJobs,
  snapshot: async () => (await import("./snapshot/snapshot.ts")).registerSnapshot,
  engine: async () => (await import("./engine.ts")).registerEngine,
};

/**
 * Creates the command line; every command registers itself.
 *
 * @param typed the words typed after `pgw`. If they begin with a command's name, only that command is loaded. Empty:
 * all.
 */
export async function commandLine(typed: readonly string[] = []): Promise<Command> {
  const program = new Command("pgw")
    .description("PostgreSQL for every environment from one Pulumi program")
    .addHelpText(
      "after",
      `
Exit codes: 0 success, 1 failure, 2 wrong usage, 3 not allowed, 4 work is pending, 5 a problem was found.
To use any PostgreSQL instead of a stack, set DATABASE_URL, or PG*, or
DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME and DB_SSLMODE.`,
    )
    .version(packageJson.version)
    .option("-v, --verbose", "log each step to stderr: as JSON lines, or as readable text on a terminal")
    .configureOutput({
      writeOut: (text) => process.stdout.write(asTyped(text)),
      writeErr: (text) => process.stderr.write(asTyped(text)),
    })
    .showHelpAfterError("(add --help to list the commands and options)")
    .exitOverride();

  // The version is an answer that needs no command.
  if (typed[0] !== "--version" && typed[0] !== "-V") await register(program, commands, typed);
  return program;
}

/** Runs the typed command. */
export async function runCommandLine(): Promise<void> {
  surviveLostOutput();
  const typed = process.argv.slice(2);
  try {
    const program = await commandLine(typed);
    if (process.env.npm_lifecycle_event !== undefined) {
      const { refuseOptionsKeptByNpm } = await import("../npm-options.ts");
      refuseOptionsKeptByNpm(program, typed, projectFolder());
    }
    await program.parseAsync();
  } catch (error) {
    reportNotRun(error, typed);
  }
}

/** Reports why no command ran. Help and version are answers, everything else that commander throws is wrong usage. */
function reportNotRun(error: unknown, typed: readonly string[]): void {
  const out = new Output(asksForJson(typed));
  if (!(error instanceof CommanderError)) {
    const failure = reportError(out, error);
    process.exitCode = failure.code;
    out.finish(failure);
    return;
  }
  if (error.exitCode === 0) {
    process.exitCode = exitCode.done;
    return;
  }
  process.exitCode = exitCode.usage;
  // commander has printed the error.
  const hints: string[] = [];
  if (error.code === "commander.excessArguments" && process.env.npm_lifecycle_event !== undefined)
    hints.push("Write options after `--`, or npm reads them itself: npm run up -- --stack dev");
  if (error.code === "commander.unknownOption" && typed[0] === "psql")
    hints.push('Write options of psql after `--`: npm run pgw -- psql -- -c "select 1"');
  for (const hint of hints) out.note(hint);
  if (!out.json) return;
  const [message = "", ...suggestions] = error.message.replace(/^error: /, "").split("\n");
  const hint = [...suggestions, ...hints].join("\n") || null;
  out.finish({ message: redact(message), hint: hint && redact(hint), code: exitCode.usage });
}

/** Returns true if the words typed ask for JSON. Words after `--` belong to another program. */
function asksForJson(typed: readonly string[]): boolean {
  const end = typed.indexOf("--");
  return (end < 0 ? typed : typed.slice(0, end)).includes("--json");
}
