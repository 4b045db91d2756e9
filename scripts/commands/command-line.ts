import { Command, CommanderError } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { exitCode } from "../errors/operation-error.ts";
import { ignoreClosedPipes } from "./cli/closed-pipe.ts";
import { type Registration, register } from "./cli/registration.ts";

/** Every command, in the order in which help lists them. */
const commands: Readonly<Record<string, Registration>> = {
  up: async () => (await import("./up.ts")).registerUp,
  preview: async () => (await import("./preview.ts")).registerPreview,
  refresh: async () => (await import("./refresh.ts")).registerRefresh,
  down: async () => (await import("./down.ts")).registerDown,
  destroy: async () => (await import("./destroy.ts")).registerDestroy,
  recover: async () => (await import("./recover.ts")).registerRecover,
  setup: async () => (await import("./setup.ts")).registerSetup,
  outputs: async () => (await import("./outputs.ts")).registerOutputs,
  stacks: async () => (await import("./stacks.ts")).registerStacks,
  url: async () => (await import("./url.ts")).registerUrl,
  psql: async () => (await import("./psql.ts")).registerPsql,
  logs: async () => (await import("./logs.ts")).registerLogs,
  database: async () => (await import("./database.ts")).registerDatabase,
  migrate: async () => (await import("./migrate.ts")).registerMigrate,
  seed: async () => (await import("./seed.ts")).registerSeed,
  backup: async () => (await import("./backup.ts")).registerBackup,
  engine: async () => (await import("./engine.ts")).registerEngine,
};

/**
 * The command line: every command registers itself.
 *
 * @param typed what was typed after `pgw`; where that begins with a command's name, the others are not even read. Empty: all of it.
 */
export async function commandLine(typed: readonly string[] = []): Promise<Command> {
  const program = new Command("pgw")
    .description("PostgreSQL for every environment from one Pulumi program")
    .addHelpText(
      "after",
      `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not allowed as asked, 4 work is pending, 5 something is wrong.
Any PostgreSQL instead of a stack: DATABASE_URL, DB_HOST DB_PORT DB_USER DB_PASSWORD DB_NAME DB_SSLMODE, or PG*.`,
    )
    .version(packageJson.version)
    .option("-v, --verbose", "log what is done to stderr: JSON lines, readable ones on a terminal")
    .showHelpAfterError("(--help lists what there is)")
    .exitOverride();

  await register(program, commands, typed);
  return program;
}

/** Runs what was typed. */
export async function runCommandLine(): Promise<void> {
  ignoreClosedPipes();
  try {
    const program = await commandLine(process.argv.slice(2));
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has printed what was wrong; help and version end with 0, everything else is wrong usage.
    process.exitCode = error.exitCode === 0 ? exitCode.done : exitCode.usage;
  }
}
