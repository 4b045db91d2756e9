import type { FormerRepository } from "../../../backup/former-generations.ts";
import type { StackBackups } from "../../../backup/stack-backups.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { ServerOutput, StackOutputs } from "../../../model/stack-outputs.ts";
import type { CommandContext } from "../../context.ts";
import { outputsOf } from "../../stack.ts";

/** Backups of a stack in its first repository, and the Docker engine of its containers. */
export interface BackupsInEngine {
  backups: StackBackups;
  /** The second repository. Omitted if there is one only. */
  second?: StackBackups;
  /** The repository that was not requested. Omitted if there is one only. */
  other?: StackBackups;
  dockerHost: string | undefined;
  /** Outputs of the stack, without secrets. */
  outputs: StackOutputs;
}

/** A stack that makes no backups. */
export interface NoBackups {
  kind: ServerOutput["kind"];
  outputs: StackOutputs;
}

/** A repository of a stack, as options name it. */
export interface RequestedRepository {
  /** `--repository`. Default: the first one. */
  repository?: string | undefined;
  /** `--generation`. Default: the current one. */
  generation?: number | undefined;
}

/**
 * Returns the backups of a stack, and the Docker engine that holds them.
 *
 * @throws OperationError (wrong usage) if the stack makes no backups, or has no such repository or generation
 */
export async function backupsOf(
  context: CommandContext,
  stack: string,
  requested: RequestedRepository = {},
): Promise<BackupsInEngine> {
  const found = await backupsOrEmbedded(context, stack, requested);
  if (found !== "embedded") return found;
  throw new OperationError(`Stack "${stack}" has no WAL archive: its server is embedded.`, {
    hint: insteadOfBackups(await outputsOf(context, stack, false), stack),
    exitCode: exitCode.usage,
  });
}

/**
 * Returns the same, or `embedded` for a stack with an embedded server, which has physical archives.
 *
 * @throws OperationError (wrong usage) if the stack makes no backups, or has no such repository or generation
 */
export async function backupsOrEmbedded(
  context: CommandContext,
  stack: string,
  { repository, generation }: RequestedRepository = {},
): Promise<BackupsInEngine | "embedded"> {
  const found = await findBackups(context, stack);
  if ("kind" in found && found.kind === "embedded") return "embedded";
  return inGeneration(inRepository(found, stack, repository), stack, generation);
}

/** Returns the former generations of a repository, newest first. */
export function formerGenerations({ backups, outputs }: BackupsInEngine): FormerRepository[] {
  const output = outputs.server.backups;
  const { former = [] } = (backups.repository === 2 ? output?.second : output) ?? {};
  return former.map(({ generation, configurationFile }) => ({
    ...backups,
    configurationFile,
    formerGeneration: generation,
  }));
}

function inGeneration(found: BackupsInEngine, stack: string, generation: number | undefined): BackupsInEngine {
  const current = found.outputs.server.backups?.generation ?? 1;
  if (generation === undefined || generation === current) return found;
  const former = formerGenerations(found);
  const backups = former.find(({ formerGeneration }) => formerGeneration === generation);
  if (backups !== undefined) return { ...found, backups };
  const known = former.map(({ formerGeneration }) => formerGeneration);
  throw new OperationError(`The backup repository of stack "${stack}" has no generation ${generation}.`, {
    hint: `It has: ${[current, ...known].join(", ")}.`,
    exitCode: exitCode.usage,
  });
}

/**
 * Returns the backups of a stack in one repository.
 *
 * @throws OperationError (wrong usage) if the stack makes no backups, or has no such repository
 */
export function inRepository(found: BackupsInEngine | NoBackups, stack: string, repository = "1"): BackupsInEngine {
  if ("backups" in found) {
    const { backups: first, second } = found;
    if (repository === "1") return { ...found, ...(second === undefined ? {} : { other: second }) };
    if (second !== undefined) return { ...found, backups: second, other: first };
    throw new OperationError(`Stack "${stack}" has one backup repository, and no number ${repository}.`, {
      hint: "Omit --repository, or add a repository to pgroundwork:backups.",
      exitCode: exitCode.usage,
    });
  }
  const hint =
    found.kind === "docker"
      ? `Set pgroundwork:backups to true in Pulumi.${stack}.yaml, and run \`up\`.`
      : insteadOfBackups(found.outputs, stack);
  throw new OperationError(`Stack "${stack}" has no backups.`, { hint, exitCode: exitCode.usage });
}

/** Returns what works on a server outside of a container, which has no repository of backups. */
export function insteadOfBackups(
  { server, databases }: Pick<StackOutputs, "server" | "databases">,
  stack: string,
): string {
  const [database = "NAME"] = Object.keys(databases);
  const option = ` --stack ${stack}`;
  const dump = `npm run pgw -- backup dump --database ${database}${option}`;
  const lines =
    server.kind === "embedded"
      ? [`whole server:  npm run pgw -- backup create${option}`, `one database:  ${dump}`]
      : [`one database:  ${dump}`, "The owner of the server makes its physical backups."];
  const more = "Points in time, drills and deploys need a server in a container (pgroundwork:server docker).";
  return ["What works here instead:", ...lines.map((line) => `    ${line}`), `  ${more}`].join("\n");
}

/** Returns the backups of a stack. If it makes none, returns only the kind of its server. */
export async function findBackups(context: CommandContext, stack: string): Promise<BackupsInEngine | NoBackups> {
  const { projectName } = await import("../../../stack/project.ts");
  const { backupsIn } = await import("../../../stack/backups-in.ts");
  const outputs = await outputsOf(context, stack, false);
  const { server } = outputs;
  const found = backupsIn(server, { project: await projectName(context.root), stack });
  return found === undefined ? { kind: server.kind, outputs } : { ...found, outputs };
}
