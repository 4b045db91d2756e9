import type Docker from "dockerode";
import { z } from "zod";
import { OperationError } from "../../core/operation-error.ts";
import { isRunning } from "../../docker/server/running.ts";
import { readRecord, recordsFolder, writeRecord } from "../repository-file.ts";
import type { EvidencePosition } from "./evidence.ts";

/** Record of the newest run. It is beside the repository, and not with the evidence itself. */
const file = "evidence.json";

const schema = z.object({ number: z.int().positive(), hash: z.string() });

/**
 * Reads number and hash of the newest drill of a repository.
 *
 * @param container container that mounts the repository's volume
 * @throws OperationError if it cannot be read: runs could be missing without notice
 */
export async function readNewestEvidence(docker: Docker, container: string): Promise<EvidencePosition | undefined> {
  if (!(await isRunning(docker, container)))
    throw new OperationError(`The container ${container} is not running. It records the newest evidence.`, {
      hint: "Run `up`, then run the drill again; or run it without --evidence.",
    });
  const text = await readRecord(docker, container, file);
  if (text === undefined || text.trim() === "") return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new OperationError(
      `The record of the newest evidence is damaged: ${recordsFolder}/${file} in the repository's volume.`,
      { hint: 'Correct it: {"number": NUMBER, "hash": HASH}, as the last drill printed them.', cause },
    );
  }
}

/** Records number and hash of the newest drill beside the repository. */
export async function recordNewestEvidence(docker: Docker, container: string, newest: EvidencePosition): Promise<void> {
  await writeRecord(docker, container, file, `${JSON.stringify(newest)}\n`);
}
