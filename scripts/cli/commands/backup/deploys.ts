import type { Command } from "commander";
import type { Deploy } from "../../../backup/deploys.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
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
  const { isRunning } = await import("../../../docker/server/running.ts");
  const { withRepository } = await import("../../../backup/stack-backups.ts");
  const { readDeploys } = await import("../../../backup/deploys.ts");
  const { backups, dockerHost } = await backupsOf(context, stack);
  return withDocker(dockerHost, async (docker) =>
    withRepository(docker, backups, await isRunning(docker, backups.container), (container) =>
      readDeploys(docker, container),
    ),
  );
}

/**
 * Finds a deploy by its number, or the last one.
 *
 * @throws OperationError (wrong usage) if there is none
 */
export async function findDeploy(context: CommandContext, stack: string, wanted: number | "last"): Promise<Deploy> {
  const deploys = await deploysOf(context, stack);
  const found = wanted === "last" ? deploys.at(-1) : deploys.find(({ number }) => number === wanted);
  if (found !== undefined) return found;
  const known =
    deploys.length === 0 ? "none is recorded" : `recorded are ${deploys.map(({ number }) => number).join(", ")}`;
  throw new OperationError(`There is no ${wanted === "last" ? "" : `such `}deploy of stack "${stack}": ${known}.`, {
    hint: "`npm run pgw -- backup deploys` lists them. `up` records one if it changes a stack that has backups.",
    exitCode: exitCode.usage,
  });
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
