import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { readVolumeFile, type VolumePlace, writeVolumeFiles } from "../docker/volume-files.ts";

/** File in the cluster's volume. It is in no backup, because a backup has only the data directory. */
export const passphraseFile = "backup-passphrase";

/** Encoded as 64 characters, like the passphrase in pgBackRest's guide. */
const entropyBytes = 48;

/**
 * Returns the passphrase that encrypts the backups of a cluster. It reads the file next to the data directory, or
 * creates that file with a new passphrase. Backups thus stay readable if the state of the stack is lost, or is created
 * again over kept data.
 */
export async function keptPassphrase(docker: Docker, place: VolumePlace): Promise<string> {
  const found = (await readVolumeFile(docker, place, passphraseFile))?.trim();
  if (found) return found;
  const made = randomBytes(entropyBytes).toString("base64url");
  await writeVolumeFiles(docker, place, { [passphraseFile]: `${made}\n` });
  return made;
}
