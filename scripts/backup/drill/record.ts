import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import { isRunning } from "../../docker/server/running.ts";
import { readFileOf, readRecord, recordsFolder, writeMetrics, writeRecord } from "../repository-file.ts";
import { evidencePath } from "./evidence-volume.ts";
import { drillMetrics } from "./metrics.ts";
import { type DrillRecord, type DrillRun, newerOf, recordSchema, withRun } from "./run.ts";

/** Record of the last drills, beside the repository. */
const file = "drills.json";

/**
 * Reads the record of the last drills. Nothing is started.
 *
 * @param container container that mounts the repository's volume; it can be stopped
 * @returns undefined if no drill was recorded
 * @throws OperationError if the record cannot be read
 */
export async function readDrillRecord(docker: Docker, container: string): Promise<DrillRecord | undefined> {
  const text = await readRecord(docker, container, file);
  if (text === undefined) return undefined;
  return parse(text, `${recordsFolder}/${file} in the repository's volume`);
}

function parse(text: string, where: string): DrillRecord {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new OperationError(`The record of restore drills is damaged: ${where}.`, {
      hint: "Remove the file, and run a drill: npm run pgw -- backup drill",
      cause,
    });
  }
}

/**
 * Reads the record of the last drills of a stack: those that commands have run, and those of its drill container.
 *
 * @param drillContainer undefined if the stack has none
 * @throws OperationError if a record cannot be read
 */
export async function readDrills(
  docker: Docker,
  container: string,
  drillContainer: string | undefined,
): Promise<DrillRecord | undefined> {
  const own = await readDrillRecord(docker, container);
  if (drillContainer === undefined) return own;
  const path = `${evidencePath}/${file}`;
  const text = await readFileOf(docker, drillContainer, path);
  if (text === undefined) return own;
  return newerOf(own, parse(text, `${path} in the container ${drillContainer}`));
}

/**
 * Records a drill beside the repository, and its result as metrics. A damaged record is replaced.
 *
 * @param container container that mounts the repository's volume
 * @throws OperationError if it cannot be recorded, for example because the container does not run
 */
export async function recordDrill(docker: Docker, container: string, run: DrillRun): Promise<void> {
  if (!(await isRunning(docker, container)))
    throw new OperationError(`The container ${container} is not running. It records the drills.`);
  const before = await readDrillRecord(docker, container).catch((error: unknown) => {
    if (error instanceof OperationError) return undefined;
    throw error;
  });
  const record = withRun(before, run);
  await writeRecord(docker, container, file, `${JSON.stringify(record)}\n`);
  await writeMetrics(docker, container, "drill.prom", drillMetrics(record));
}
