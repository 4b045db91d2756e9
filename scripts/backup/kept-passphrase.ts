import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { readVolumeFile, type VolumePlace, writeVolumeFiles } from "../docker/volume-files.ts";

/** In the cluster's volume, and in no backup: those have the data directory alone. */
export const passphraseFile = "backup-passphrase";

/** 48 random bytes as 64 characters, as pgBackRest's guide makes one. */
const entropyBytes = 48;

/**
 * The passphrase that backups of a cluster are encrypted with: the one that lies beside it, or else a new one, which is put there. A stack's state may be lost, or
 * made anew over data that is kept; the backups have to stay readable.
 */
export async function keptPassphrase(docker: Docker, place: VolumePlace): Promise<string> {
  const found = (await readVolumeFile(docker, place, passphraseFile))?.trim();
  if (found) return found;
  const made = randomBytes(entropyBytes).toString("base64url");
  await writeVolumeFiles(docker, place, { [passphraseFile]: `${made}\n` });
  return made;
}
