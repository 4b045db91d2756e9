import type { Command } from "commander";
import { everyConnection } from "../../connection/environment.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { shellQuote } from "../../core/shell.ts";
import { runnerIntervalMinutes } from "../../model/cron.ts";
import { localStack } from "../../stack/stacks.ts";
import { action } from "../context.ts";
import { databaseOption, jsonOption, stackOption } from "../options.ts";
import { hasJobs } from "../unfinished-jobs.ts";
import { warnAfterUp } from "../warnings-after-up.ts";
import { upStack } from "./up.ts";

export function registerSetup(program: Command): void {
  program
    .command("setup")
    .description("run `up` and print the next steps; writes .env only with --write-env")
    .addOption(stackOption())
    .addOption(jsonOption())
    .option(
      "--write-env",
      "write .env with DATABASE_URL and DB_* for the app role of a database: --database, else that of the present .env, " +
        "else the first one (mode 0600)",
    )
    .option("--force", "replace the connection in an existing .env; other variables are kept")
    .addOption(databaseOption("the database of --write-env"))
    .action(
      action<SetupOptions, []>(async (context, options) => {
        const { stack = localStack, writeEnv = false, force = false, database } = options;
        if (database !== undefined && !writeEnv)
          throw new OperationError("--database names the database for .env.", {
            hint: "Add --write-env.",
            exitCode: exitCode.usage,
          });
        if (writeEnv && !force) {
          const { requireNoEnvironmentFile } = await import("../../connection/environment-file.ts");
          await requireNoEnvironmentFile(context.root);
        }
        const { databases, server } = await upStack(context, stack);
        if (writeEnv) {
          const { writeEnvironmentFile } = await import("../../connection/environment-file.ts");
          const { resolveTarget } = await import("../target.ts");
          const chosen = database ?? (await databaseForFile(context.root, stack, Object.keys(databases)));
          const { connection } = await resolveTarget(context, { stack, database: chosen }, "app");
          const file = await writeEnvironmentFile(context.root, connection, force, stack);
          context.out.note(`wrote ${file}: ${connection.user} in the database ${connection.database}`);
          const others = Object.keys(databases).filter((name) => name !== connection.database);
          if (database === undefined && others.length > 0)
            context.out.note(
              `  to use ${others.join(" or ")}: npm run db:setup -- --write-env --force -d ${others[0]}${stackSuffix(stack)}`,
            );
        }
        await warnAfterUp(context, stack);
        const runsJobs = server.kind !== "docker" && (await hasJobs(context.root, Object.keys(databases)));
        context.out.say(
          [
            "",
            "next",
            "  npm run pgw -- status                  show what runs and what is pending",
            "  npm run db:status                      show what is applied",
            "  npm run pgw -- seed info               show test users and their logins",
            "  npm run preview                        show what `up` would change",
            ...(writeEnv ? [] : ["  npm run db:setup -- --write-env        write a .env for your application"]),
            ...(server.backups?.drill?.sidecar !== false ? [] : ["", ...drillSchedule(context.root, stack)]),
            ...(server.dumps === undefined ? [] : ["", ...dumpSchedule(context.root, stack, context.env)]),
            ...(runsJobs ? ["", ...jobSchedule(context.root, stack)] : []),
          ].join("\n"),
        );
        return undefined;
      }),
    );
}

interface SetupOptions {
  stack?: string;
  writeEnv?: boolean;
  force?: boolean;
  database?: string;
}

/**
 * Chooses the database for `.env`: the one that a present file connects to, else the first of the stack.
 *
 * @throws OperationError (wrong usage) if the stack has several databases, but not that of the present file
 */
async function databaseForFile(root: string, stack: string, databases: readonly string[]): Promise<string> {
  const { readEnvironmentFile } = await import("../../connection/environment-file.ts");
  const file = await readEnvironmentFile(root);
  const present = everyConnection(file?.variables ?? {}).map(({ connection }) => connection.database);
  const [first = ""] = databases;
  const kept = present.find((name) => databases.includes(name));
  if (kept !== undefined || present.length === 0 || databases.length <= 1) return kept ?? first;
  const lines = databases.map((name) => `  npm run db:setup -- --write-env --force -d ${name}${stackSuffix(stack)}`);
  throw new OperationError(
    `${file?.path} connects to the database "${present[0]}", which stack "${stack}" does not have. It was not changed.`,
    { hint: ["Choose the database of your application:", ...lines].join("\n  "), exitCode: exitCode.usage },
  );
}

function stackSuffix(stack: string): string {
  return stack === localStack ? "" : ` --stack ${stack}`;
}

/** Returns the lines that make cron or systemd run the restore drills of a stack. */
export function drillSchedule(root: string, stack: string): string[] {
  const drills = { name: "drill", command: "backup drill --due", cron: "17 * * * *", calendar: "*:17" };
  return ["restore drills, if this machine is to run them: one of", ...scheduled(root, stack, drills)];
}

/**
 * Returns the lines that make cron or systemd make the planned dumps of a stack, with the variables of this environment
 * that govern dumps.
 */
export function dumpSchedule(root: string, stack: string, env: NodeJS.ProcessEnv): string[] {
  const names = ["BACKUP_DIR", "BACKUP_RETENTION_DAYS", "BACKUP_COMPRESS", "BACKUP_RECIPIENTS"];
  const variables = names.flatMap((name) => (env[name] ? [`${name}=${shellQuote(env[name])}`] : []));
  const dumps = { name: "dump", command: "backup dump --due", cron: "7 * * * *", calendar: "*:07", variables };
  return ["planned dumps, if this machine is to make them: one of", ...scheduled(root, stack, dumps)];
}

/** Returns the lines that make cron or systemd run the jobs in the database.json of a stack's databases. */
export function jobSchedule(root: string, stack: string): string[] {
  const every = runnerIntervalMinutes;
  const jobs = { name: "jobs", command: "jobs run --due", cron: `*/${every} * * * *`, calendar: `*:0/${every}` };
  return ["jobs of database.json, which this server does not run itself: one of", ...scheduled(root, stack, jobs)];
}

/** A command that does nothing unless it is due, and how often it starts. */
interface ScheduledCommand {
  /** Part of the unit's name. */
  name: string;
  command: string;
  /** Schedule in the syntax of cron, and in that of systemd. */
  cron: string;
  calendar: string;
  /** Assignments in shell syntax. */
  variables?: readonly string[];
}

/** Returns the lines for cron and systemd. Both have a short PATH, so Node is named with its folder. */
function scheduled(root: string, stack: string, given: ScheduledCommand): string[] {
  const { name, cron, calendar, variables = [] } = given;
  const command = `${shellQuote(process.execPath)} scripts/pgw.mjs ${given.command} --stack ${stack}`;
  // In a crontab, % ends the command.
  const line = `cd ${shellQuote(root)} && ${[...variables, command].join(" ")}`.replaceAll("%", "\\%");
  const unit = `systemd-run --user --unit pgw-${name}-${stack} --on-calendar '${calendar}'${variables.map((each) => ` --setenv=${each}`).join("")}`;
  return [
    `  crontab -e:  ${cron} ${line}`,
    `  systemd:     ${unit} --working-directory ${shellQuote(root)} ${command}`,
  ];
}
