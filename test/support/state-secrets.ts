import { createDecipheriv, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";

/** Mark of an encrypted value in a state (sdk/go/common/resource/sig). */
const signature = "4dabf18193072939515e22adb298388d";
const secret = "1b47061264138c4ac30d75fd1eb44270";
const tagBytes = 16;

const keys = new Map<string, Promise<Buffer>>();

/** Derives the key of a salt, as scripts/stack/passphrase-salt.ts does. It takes long, so each is derived once. */
function keyOf(passphrase: string, salt: string, iterations: number): Promise<Buffer> {
  const [, bytes = ""] = salt.split(":");
  const name = `${salt} ${passphrase}`;
  const key = keys.get(name) ?? promisify(pbkdf2)(passphrase, Buffer.from(bytes, "base64"), iterations, 32, "sha256");
  keys.set(name, key);
  return key;
}

/**
 * Returns a value of a state with all its secrets as plain text.
 *
 * @param iterations of the derivation of the key
 */
export async function revealSecrets(
  value: unknown,
  passphrase: string,
  salt: string,
  iterations: number,
): Promise<unknown> {
  return reveal(value, await keyOf(passphrase, salt, iterations));
}

function reveal(value: unknown, key: Buffer): unknown {
  if (Array.isArray(value)) return value.map((each) => reveal(each, key));
  if (typeof value !== "object" || value === null) return value;
  const entries = value as Record<string, unknown>;
  if (entries[signature] === secret) return JSON.parse(decrypted(String(entries.ciphertext), key));
  return Object.fromEntries(Object.entries(entries).map(([name, each]) => [name, reveal(each, key)]));
}

/** @param text `v1:<nonce>:<encrypted text and tag>` */
function decrypted(text: string, key: Buffer): string {
  const [, nonce = "", encrypted = ""] = text.split(":");
  const bytes = Buffer.from(encrypted, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(0, -tagBytes)), decipher.final()]).toString();
}
