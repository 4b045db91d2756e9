import type { Command } from "commander";
import { shellQuote } from "../../core/shell.ts";
import { localStack } from "../../stack/stacks.ts";
import { action } from "../context.ts";
import { jsonOption, stackOption } from "../options.ts";
import { warnOfOtherTargets } from "../other-targets.ts";
import { upStack } from "./up.ts";

export function registerSetup(program: Command): void {
  program
    .command("setup")
    .description("run `up` and print the next steps; writes .env only with --write-env")
    .addOption(stackOption())
    .addOption(jsonOption())
    .option("--write-env", "write .env with DATABASE_URL and DB_* for the first database's app role (mode 0600)")
    .option("--force", "replace the connection in an existing .env; other variables are kept")
    .action(
      action<{ stack?: string; writeEnv?: boolean; force?: boolean }, []>(async (context, options) => {
        const { stack = localStack, writeEnv = false, force = false } = options;
        if (writeEnv && !force) {
          const { requireNoEnvironmentFile } = await import("../../connection/environment-file.ts");
          await requireNoEnvironmentFile(context.root);
        }
        const { databases, server } = await upStack(context, stack);
        if (writeEnv) {
          const [database = ""] = Object.keys(databases);
          const { writeEnvironmentFile } = await import("../../connection/environment-file.ts");
          const { resolveTarget } = await import("../target.ts");
          const { connection } = await resolveTarget(context, { stack, database }, "app");
          context.out.note(`wrote ${await writeEnvironmentFile(context.root, connection, force, stack)}`);
        }
        await warnOfOtherTargets(context, stack);
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
          ].join("\n"),
        );
        return undefined;
      }),
    );
}

/**
 * Returns the lines that make cron or systemd run the restore drills of a stack. The command does nothing unless a
 * drill is due. Both have a short PATH, so Node is named with its folder.
 */
export function drillSchedule(root: string, stack: string): string[] {
  const command = `${shellQuote(process.execPath)} scripts/pgw.mjs backup drill --due --stack ${stack}`;
  // In a crontab, % ends the command.
  const line = `cd ${shellQuote(root)} && ${command}`.replaceAll("%", "\\%");
  const unit = `systemd-run --user --unit pgw-drill-${stack} --on-calendar '*:17'`;
  return [
    "restore drills, if this machine is to run them: one of",
    `  crontab -e:  17 * * * * ${line}`,
    `  systemd:     ${unit} --working-directory ${shellQuote(root)} ${command}`,
  ];
}
