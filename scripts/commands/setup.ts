import type { Command } from "commander";
import { localStack } from "../stack/stacks.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";
import { bringUp } from "./up.ts";

export function registerSetup(program: Command): void {
  program
    .command("setup")
    .description("`up`, then what comes next; writes .env only when asked")
    .addOption(stackOption())
    .addOption(jsonOption())
    .option("--write-env", "write .env with DATABASE_URL and DB_* of the first database's app role (mode 0600)")
    .option("--force", "replace a .env that is there")
    .action(
      action<{ stack?: string; writeEnv?: boolean; force?: boolean }, []>(async (run, options) => {
        const { stack = localStack, writeEnv = false, force = false } = options;
        if (writeEnv && !force) {
          const { requireNoEnvironmentFile } = await import("../target/environment-file.ts");
          await requireNoEnvironmentFile(run.root);
        }
        const { databases } = await bringUp(run, stack);
        if (writeEnv) {
          const [database = ""] = Object.keys(databases);
          const { writeEnvironmentFile } = await import("../target/environment-file.ts");
          const { resolveTarget } = await import("./cli/target.ts");
          const { connection } = await resolveTarget(run, { stack, database }, "app");
          run.out.note(`wrote ${await writeEnvironmentFile(run.root, connection, force)}`);
        }
        run.out.say(
          [
            "",
            "next",
            "  npm run db:status                      what is applied",
            "  npm run pgw -- seed info               test users and their logins",
            "  npm run preview                        what `up` would change",
            ...(writeEnv ? [] : ["  npm run db:setup -- --write-env        a .env for your application"]),
          ].join("\n"),
        );
        return undefined;
      }),
    );
}
