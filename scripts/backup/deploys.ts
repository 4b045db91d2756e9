import type Docker from "dockerode";
import { z } from "zod";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { queryInContainer } from "../docker/server/query.ts";
import { isRunning } from "../docker/server/running.ts";
import { readRecord, recordsFolder, writeRecord } from "./repository-file.ts";
import { type StackBackups, withRepository } from "./stack-backups.ts";

const deploySchema = z.object({
  /** Counted from 1. */
  number: z.number(),
  /** Name of the restore point just before the deploy. */
  restorePoint: z.string(),
  /** Position of the restore point in the WAL. */
  lsn: z.string(),
  /** ISO 8601. */
  at: z.string(),
  /** `failed`: `up` failed, and may have changed some resources. `unfinished`: it runs, or it was killed. */
  outcome: z.enum(["unfinished", "done", "failed"]),
  /** Number of changed resources. null: not known. */
  changes: z.number().nullable(),
  /** Git commit of the project directory. null: it is not in a repository. */
  commit: z.string().nullable(),
  /** True if files differed from the commit. */
  isModified: z.boolean(),
  user: z.string(),
  host: z.string(),
});

/** A deploy: an `up` that changed a stack. */
export type Deploy = z.output<typeof deploySchema>;

/** A restore point that was made before a deploy. */
export type DeployPoint = Pick<Deploy, "restorePoint" | "lsn" | "at">;

/** Record of the deploys, beside the repository. */
const file = "deploys.jsonl";

/** Creates a restore point on a server, before a deploy. */
export async function createDeployPoint(docker: Docker, server: string): Promise<DeployPoint> {
  const at = new Date().toISOString();
  const restorePoint = `deploy_${at.replaceAll(/[-:.]/g, "")}`;
  const [found] = await queryInContainer<{ lsn: string }>(
    docker,
    server,
    `select pg_create_restore_point('${restorePoint}')::text as lsn`,
  );
  return { restorePoint, lsn: found?.lsn ?? "", at };
}

/**
 * Records that a deploy begins, with the next number.
 *
 * @param container running container that can write the repository's volume
 */
export async function recordDeploy(
  docker: Docker,
  container: string,
  deploy: Omit<Deploy, "number" | "outcome" | "changes">,
): Promise<void> {
  const deploys = await readDeploys(docker, container);
  const number = (deploys.at(-1)?.number ?? 0) + 1;
  await writeDeploys(docker, container, [...deploys, { number, ...deploy, outcome: "unfinished", changes: null }]);
}

/**
 * Records how a deploy ended.
 *
 * @param ended undefined if it changed nothing: its record is removed
 */
export async function finishDeploy(
  docker: Docker,
  container: string,
  restorePoint: string,
  ended: Pick<Deploy, "outcome" | "changes"> | undefined,
): Promise<void> {
  const deploys = await readDeploys(docker, container);
  const changed = deploys.flatMap((deploy) => {
    if (deploy.restorePoint !== restorePoint) return [deploy];
    return ended === undefined ? [] : [{ ...deploy, ...ended }];
  });
  await writeDeploys(docker, container, changed);
}

async function writeDeploys(docker: Docker, container: string, deploys: readonly Deploy[]): Promise<void> {
  await writeRecord(docker, container, file, deploys.map((each) => `${JSON.stringify(each)}\n`).join(""));
}

/**
 * Reads the recorded deploys, oldest first.
 *
 * @param container container that mounts the repository's volume
 */
export async function readDeploys(docker: Docker, container: string): Promise<Deploy[]> {
  const text = (await readRecord(docker, container, file)) ?? "";
  const lines = text.split("\n").filter((line) => line !== "");
  try {
    return lines.map((line) => deploySchema.parse(JSON.parse(line)));
  } catch (error) {
    throw new OperationError(`The record of deploys is damaged: ${recordsFolder}/${file} in the repository's volume.`, {
      hint: "Correct it, or move it away. It has one JSON object on each line.",
      cause: error,
    });
  }
}

/** Lists the recorded deploys of a stack, oldest first. Its containers need not run. */
export async function listDeploys(docker: Docker, stack: StackBackups): Promise<Deploy[]> {
  const runs = await isRunning(docker, stack.container);
  return withRepository(docker, stack, runs, (container) => readDeploys(docker, container));
}

/**
 * Chooses a deploy by its number, or the last one.
 *
 * @throws OperationError (wrong usage) if there is none
 */
export function chooseDeploy(deploys: readonly Deploy[], stack: string, wanted: number | "last"): Deploy {
  const found = wanted === "last" ? deploys.at(-1) : deploys.find(({ number }) => number === wanted);
  if (found !== undefined) return found;
  const known =
    deploys.length === 0 ? "none is recorded" : `recorded are ${deploys.map(({ number }) => number).join(", ")}`;
  throw new OperationError(`There is no ${wanted === "last" ? "" : "such "}deploy of stack "${stack}": ${known}.`, {
    hint: "`npm run pgw -- backup deploys` lists them. `up` records one if it changes a stack that has backups.",
    exitCode: exitCode.usage,
  });
}
