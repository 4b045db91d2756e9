import { createPublicKey } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import tar from "tar-fs";
import { OperationError } from "../../core/operation-error.ts";
import { existingContainer } from "../repository-file.ts";
import { type EvidencePosition, verifyEvidence } from "./evidence.ts";

/** Mount path of the evidence in the drill container. */
export const evidencePath = "/var/lib/pgroundwork/evidence";

/** Newest evidence of a volume, and what is wrong with the evidence. */
export interface ReadEvidence {
  /** The number is 0 if there is none. */
  newest: EvidencePosition;
  faults: string[];
}

/**
 * Copies the evidence out of the drill container. The container can be stopped.
 *
 * @param folder existing folder
 * @throws OperationError if the container does not exist
 */
export async function copyEvidence(docker: Docker, container: string, folder: string): Promise<void> {
  const found = await existingContainer(docker, container);
  const archive = await found.getArchive({ path: `${evidencePath}/.` });
  await pipeline(archive, tar.extract(folder, { dmode: 0o700, fmode: 0o600, chown: false } as tar.ExtractOptions));
}

/**
 * Reads and verifies the evidence in the drill container.
 *
 * @param publicKey PEM
 * @param known newest evidence that was read before; number 0: none
 */
export async function readEvidence(
  docker: Docker,
  container: string,
  publicKey: string,
  known: EvidencePosition,
): Promise<ReadEvidence> {
  const folder = await mkdtemp(join(tmpdir(), "pgw-evidence-"));
  try {
    await copyEvidence(docker, container, folder);
    return judgeEvidence(folder, publicKey, known);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Verifies the evidence in a folder, which can be empty as long as nothing was known of it. */
export function judgeEvidence(folder: string, publicKey: string, known: EvidencePosition): ReadEvidence {
  const what = "The evidence of restore drills was tampered with or lost";
  try {
    const { newest, faults } = verifyEvidence(
      folder,
      createPublicKey(publicKey),
      known.number === 0 ? undefined : known,
    );
    return { newest: newest ?? known, faults: faults.map(({ detail }) => `${what}: ${detail}.`) };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const lost = `${what}: all runs are missing; run ${known.number} was there.`;
    return { newest: known, faults: known.number === 0 ? [] : [lost] };
  }
}
