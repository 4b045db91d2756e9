import { Command, CommanderError } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { exitCode } from "../errors/operation-error.ts";
import { ignoreClosedPipes } from "./cli/closed-pipe.ts";
import { registerDatabase } from "./database.ts";
import { registerDestroy } from "./destroy.ts";
import { registerDown } from "./down.ts";
import { registerEngine } from "./engine.ts";
import { registerLogs } from "./logs.ts";
import { registerMigrate } from "./migrate.ts";
import { registerOutputs } from "./outputs.ts";
import { registerPreview } from "./preview.ts";
import { registerPsql } from "./psql.ts";
import { registerRecover } from "./recover.ts";
import { registerRefresh } from "./refresh.ts";
import { registerSeed } from "./seed.ts";
import { registerSetup } from "./setup.ts";
import { registerStacks } from "./stacks.ts";
import { registerUp } from "./up.ts";
import { registerUrl } from "./url.ts";

/** The command line as a whole: every command registers itself. */
export function commandLine(): Command {
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

  registerUp(program);
  registerPreview(program);
  registerRefresh(program);
  registerDown(program);
  registerDestroy(program);
  registerRecover(program);
  registerSetup(program);
  registerOutputs(program);
  registerStacks(program);
  registerUrl(program);
  registerPsql(program);
  registerLogs(program);
  registerDatabase(program);
  registerMigrate(program);
  registerSeed(program);
  registerEngine(program);
  return program;
}

/** Runs what was typed. */
export async function runCommandLine(): Promise<void> {
  ignoreClosedPipes();
  try {
    await commandLine().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has printed what was wrong; help and version end with 0, everything else is wrong usage.
    process.exitCode = error.exitCode === 0 ? exitCode.done : exitCode.usage;
  }
}
