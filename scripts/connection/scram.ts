import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/**
 * PostgreSQL's own values (`scram_iterations`, `SCRAM_DEFAULT_SALT_LEN`), so that our verifiers look like the server's.
 */
const defaultIterations = 4096;
const saltBytes = 16;

/**
 * Returns a password in the form in which PostgreSQL stores it, for `ALTER ROLE … PASSWORD` (RFC 5803,
 * `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`). Thus the password itself never reaches the server's
 * log, pg_stat_activity or pg_stat_statements. psql's `\password` does the same; pg has no function for it.
 */
export async function scramVerifier(
  password: string,
  salt: Buffer = randomBytes(saltBytes),
  iterations = defaultIterations,
): Promise<string> {
  const salted = await derive(prepared(password), salt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const serverKey = createHmac("sha256", salted).update("Server Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest();
  const base64 = (bytes: Buffer) => bytes.toString("base64");
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}

/** Applies the mappings of SASLprep (RFC 4013) that change bytes. Servers and libpq do the same before hashing. */
function prepared(password: string): string {
  return password
    .replace(/[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/g, " ")
    .replace(mappedToNothing, "")
    .normalize("NFKC");
}

/** RFC 3454, table B.1. An alternation, because a character class would join some of these with their neighbours. */
const mappedToNothing = /\u00AD|\u034F|\u1806|\u180B|\u180C|\u180D|\u200C|\u200D|\u2060|[\uFE00-\uFE0F]|\uFEFF/g;
