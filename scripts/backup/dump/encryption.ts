import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { readFileIfThere, writeFileAtomically } from "../../core/atomic-file.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";

/** Environment variables with the recipients of dumps, and with the file of the key that decrypts them. */
export const keyVariables = { recipients: "BACKUP_RECIPIENTS", identityFile: "BACKUP_IDENTITY_FILE" } as const;

/**
 * Checks recipients (public keys) of age.
 *
 * @throws OperationError (wrong usage)
 */
export async function requireRecipients(recipients: readonly string[]): Promise<void> {
  const { Encrypter } = await import("age-encryption");
  for (const recipient of recipients) {
    try {
      new Encrypter().addRecipient(recipient);
    } catch {
      throw new OperationError(`"${recipient}" is not a recipient of age.`, {
        hint: "A recipient begins with age1. Create a key: `npm run pgw -- dumps key FILE`.",
        exitCode: exitCode.usage,
      });
    }
  }
}

/** Encrypts a stream to recipients. */
export async function encrypted(source: Readable, recipients: readonly string[]): Promise<Readable> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return fromWeb(await encrypter.encrypt(toWeb(source)));
}

/**
 * Decrypts a stream with the keys in a file.
 *
 * @throws OperationError if the file has no key, or none of its keys decrypts the stream
 */
export async function decrypted(source: Readable, identityFile: string | undefined): Promise<Readable> {
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  for (const identity of readIdentities(identityFile)) decrypter.addIdentity(identity);
  try {
    return fromWeb(await decrypter.decrypt(toWeb(source)));
  } catch (error) {
    source.destroy();
    throw new OperationError(`The dump cannot be decrypted with the key in ${identityFile}.`, {
      hint: "Name the file with the private key of one of the dump's recipients: --identity FILE",
      cause: error,
    });
  }
}

function readIdentities(file: string | undefined): string[] {
  if (file === undefined) {
    throw new OperationError("The dump is encrypted, and no key was given.", {
      hint: `Name the file with the private key: --identity FILE, or set ${keyVariables.identityFile}.`,
      exitCode: exitCode.usage,
    });
  }
  const identities = (readFileIfThere(file) ?? "").split("\n").filter((line) => line.startsWith("AGE-SECRET-KEY-"));
  if (identities.length > 0) return identities;
  throw new OperationError(`The file ${file} has no private key of age.`, {
    hint: "It must have a line that begins with AGE-SECRET-KEY-.",
    exitCode: exitCode.usage,
  });
}

/**
 * Creates a key: the private key in a new file, readable only by its owner.
 *
 * @returns the recipient, which is public
 * @throws OperationError (wrong usage) if the file exists
 */
export async function createKey(file: string): Promise<string> {
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  try {
    writeFileAtomically(file, `# public key: ${recipient}\n${identity}\n`, { mode: 0o600, exclusive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new OperationError(`The file ${file} already exists.`, {
      hint: "Name a new file. A key that was overwritten could no longer decrypt its dumps.",
      exitCode: exitCode.usage,
    });
  }
  return recipient;
}

type WebStream = globalThis.ReadableStream<Uint8Array>;

/**
 * Readable.toWeb() throws an error that no caller can catch if the source still has buffered data when its reader
 * cancels, as one does that only tries the key.
 */
function toWeb(source: Readable): WebStream {
  return ReadableStream.from(source as AsyncIterable<Uint8Array>) as unknown as WebStream;
}

function fromWeb(stream: WebStream): Readable {
  return Readable.fromWeb(stream as unknown as ReadableStream<Uint8Array>);
}
