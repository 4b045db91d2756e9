import type { Command } from "commander";
import type { Deploy } from "../../../backup/deploys.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, stackOption } from "../../options.ts";
import { table } from "../../table.ts";
import { backupsOf } from "./stack.ts";

export function registerBackupDeploys(backup: Command): void {
  backup
    .command("deploys")
    .description("list the deploys, each with the restore point before it, for `backup restore --before-deploy`")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string }, []>(async (context, { stack = localStack }) => {
        const deploys = (await deploysOf(context, stack)).toReversed();
        context.out.answer({ stack, deploys }, () => describe(deploys));
        return undefined;
      }),
    );
}

/** Reads the deploys of a stack, oldest first. */
export async function deploysOf(context: CommandContext, stack: string): Promise<Deploy[]> {
  const { withDocker } = await import("../../../docker/client.ts");
  const { listDeploys } = await import("../../../backup/deploys.ts");
  const { backups, dockerHost } = await backupsOf(context, stack);
  return withDocker(dockerHost, (docker) => listDeploys(docker, backups));
}

function describe(deploys: readonly Deploy[]): string {
  if (deploys.length === 0) return "no deploys are recorded";
  const rows = deploys.map((deploy) => [
    String(deploy.number),
    deploy.at.slice(0, 19),
    deploy.outcome,
    deploy.changes === null ? "" : String(deploy.changes),
    deploy.commit === null ? "" : `${deploy.commit.slice(0, 10)}${deploy.isModified ? ", modified" : ""}`,
    `${deploy.user}@${deploy.host}`,
    deploy.lsn,
    deploy.restorePoint,
  ]);
  return table(["deploy", "began (UTC)", "outcome", "changes", "commit", "by", "LSN", "restore point"], rows);
}
