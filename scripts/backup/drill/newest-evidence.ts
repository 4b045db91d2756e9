import type Docker from "dockerode";
import { z } from "zod";
import { OperationError } from "../../core/operation-error.ts";
import { runInContainer } from "../../docker/run-in-container.ts";
import { isRunning } from "../../docker/server/running.ts";
import type { EvidencePosition } from "./evidence.ts";

/** File with the newest run. It is beside the repository, and not with the evidence itself. */
const file = "/var/lib/pgbackrest/pgroundwork/evidence.json";

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
  const command = ["sh", "-c", '[ ! -e "$1" ] || cat "$1"', "sh", file];
  const { code, stdout, stderr } = await runInContainer(docker, container, { command, user: "postgres" });
  if (code !== 0) throw new OperationError(`The newest evidence could not be read: ${stderr.trim()}`);
  if (stdout.trim() === "") return undefined;
  try {
    return schema.parse(JSON.parse(stdout));
  } catch (cause) {
    throw new OperationError(`The record of the newest evidence is damaged: ${file} in the repository's volume.`, {
      hint: 'Correct it: {"number": NUMBER, "hash": HASH}, as the last drill printed them.',
      cause,
    });
  }
}

/** Records number and hash of the newest drill beside the repository. */
export async function recordNewestEvidence(docker: Docker, container: string, newest: EvidencePosition): Promise<void> {
  const script = 'set -e; mkdir -p "$(dirname "$1")"; cat >"$1.new"; sync "$1.new"; mv "$1.new" "$1"';
  const command = ["sh", "-c", script, "sh", file];
  const input = `${JSON.stringify(newest)}\n`;
  const { code, stderr } = await runInContainer(docker, container, { command, input, user: "postgres" });
  if (code !== 0) throw new OperationError(`The newest evidence could not be recorded: ${stderr.trim()}`);
}
