import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { readNamedFiles, type VolumePlace, writeVolumeFiles } from "../docker/volume-files.ts";

/** File in the cluster's volume. It is in no backup, because a backup has only the data directory. */
export const passphraseFile = "backup-passphrase";

/** Encoded as 64 characters, like the passphrase in pgBackRest's guide. */
const entropyBytes = 48;

/** The passphrases that a stack asks for. */
export interface WantedPassphrases {
  /** Number of the current generation of the repositories, counted from 1. */
  generation: number;
  /** Passphrase of the current generation, to use instead of a new one. */
  given?: string | undefined;
  /** Passphrases of former generations in the stack's state, by their number. The volume has copies. */
  former?: Readonly<Record<string, string>> | undefined;
}

/** The passphrases that encrypt the backups of a cluster. */
export interface KeptPassphrases {
  passphrase: string;
  /** Passphrases of former generations, by their number, as far as they are known. */
  former: Record<string, string>;
}

const versionFile = "17/data/PG_VERSION";

/**
 * Returns the passphrases that encrypt the backups of a cluster. It reads the files next to the data directory, or
 * creates the file of the current generation with a new passphrase. Backups thus stay readable if the stack's state is
 * lost, or is created again over kept data.
 *
 * @throws OperationError if there is a cluster that has another one than the given one, or a newer generation
 */
export async function keptPassphrases(
  docker: Docker,
  place: VolumePlace,
  { generation, given, former: known = {} }: WantedPassphrases,
): Promise<KeptPassphrases> {
  const numbers = Array.from({ length: generation + 1 }, (_, at) => at + 1);
  const files = await readNamedFiles(docker, place, [...numbers.map(fileOf), versionFile]);
  const hasCluster = files[versionFile] !== undefined;
  const keptOf = (number: number) => files[fileOf(number)]?.trim() || undefined;
  // Such as a stack whose state was lost, with settings from before.
  if (hasCluster && keptOf(generation + 1) !== undefined) throw lowerGeneration(generation, generation + 1);
  const former: Record<string, string> = {};
  for (let number = 1; number < generation; number++) {
    const kept = keptOf(number) ?? known[number];
    if (kept !== undefined) former[number] = kept;
  }
  if (given !== undefined && Object.values(former).includes(given)) throw formerPassphrase(generation);
  const found = keptOf(generation);
  const isOther = given !== undefined && found !== given;
  if (found !== undefined && isOther && hasCluster) throw otherPassphrase(generation);
  if (found !== undefined && !isOther) return { passphrase: found, former };
  const passphrase = given ?? randomBytes(entropyBytes).toString("base64url");
  await writeVolumeFiles(docker, place, { [fileOf(generation)]: `${passphrase}\n` });
  return { passphrase, former };
}

/** Returns the name of the file with a generation's passphrase. */
function fileOf(generation: number): string {
  return generation === 1 ? passphraseFile : `${passphraseFile}-${generation}`;
}

/**
 * Refuses a lower generation. Its archive ended when the newer one began, so a part of the WAL would be in neither.
 *
 * @param current number of the stack's present generation
 */
export function lowerGeneration(wanted: number, current: number): OperationError {
  return new OperationError(
    `The settings ask for generation ${wanted} of the backup repositories, and the stack has generation ${current}.`,
    {
      hint:
        `Set pgroundwork:backups.generation to ${current}. A generation does not continue after a newer one has begun; ` +
        `${current + 1} starts the next one.`,
    },
  );
}

/** Reports a new generation with the passphrase of a former one. */
function formerPassphrase(generation: number): OperationError {
  return new OperationError(
    `The passphrase in the settings is that of a former generation, and generation ${generation} needs a new one.`,
    {
      hint:
        "Remove pgroundwork:backups.passphrase, so that `up` creates one, or set a new one: " +
        "`pulumi config set --secret --path pgroundwork:backups.passphrase`.",
    },
  );
}

/** Reports a passphrase in the settings that is not the one of the repositories. */
function otherPassphrase(generation: number): OperationError {
  return new OperationError("The passphrase in the settings is not the one that encrypts this stack's backups.", {
    hint:
      "Remove pgroundwork:backups.passphrase, or set the passphrase that the stack has: " +
      "`npm run -s pgw -- outputs --json --show-secrets`, at server.backups.passphrase. To start new repositories with " +
      `this passphrase, set pgroundwork:backups.generation to ${generation + 1}.`,
  });
}
