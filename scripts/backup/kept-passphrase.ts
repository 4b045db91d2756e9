import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { readVolumeFile, type VolumePlace, writeVolumeFiles } from "../docker/volume-files.ts";

/** File in the cluster's volume. It is in no backup, because a backup has only the data directory. */
export const passphraseFile = "backup-passphrase";

/** Encoded as 64 characters, like the passphrase in pgBackRest's guide. */
const entropyBytes = 48;

/**
 * Returns the passphrase that encrypts the backups of a cluster. It reads the file next to the data directory, or
 * creates that file with a new passphrase. Backups thus stay readable if the state of the stack is lost, or is created
 * again over kept data.
 *
 * @param given passphrase to use instead of a new one
 * @throws OperationError if there is a cluster that has another one than the given one
 */
export async function keptPassphrase(docker: Docker, place: VolumePlace, given?: string): Promise<string> {
  const found = (await readVolumeFile(docker, place, passphraseFile))?.trim();
  const isOther = given !== undefined && found !== given;
  if (found && isOther && (await readVolumeFile(docker, place, "17/data/PG_VERSION")) !== undefined)
    throw otherPassphrase();
  if (found && !isOther) return found;
  const made = given ?? randomBytes(entropyBytes).toString("base64url");
  await writeVolumeFiles(docker, place, { [passphraseFile]: `${made}\n` });
  return made;
}

/** Reports a passphrase in the settings that is not the one of the repositories. */
function otherPassphrase(): OperationError {
  return new OperationError("The passphrase in the settings is not the one that encrypts this stack's backups.", {
    hint:
      "Remove pgroundwork:backups.passphrase, or set the passphrase that the stack has: " +
      "`npm run -s pgw -- outputs --json --show-secrets`, at server.backups.passphrase.",
  });
}
