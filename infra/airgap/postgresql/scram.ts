import { createHash, createHmac, pbkdf2 as pbkdf2Callback, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const pbkdf2 = promisify(pbkdf2Callback);

/** PostgreSQL's own numbers (`SCRAM_SHA_256_DEFAULT_ITERATIONS`, `SCRAM_DEFAULT_SALT_LEN`), so that ours look like the server's. */
const defaultIterations = 4096;
const saltBytes = 16;

/**
 * A password as PostgreSQL stores it (RFC 5802, RFC 7677), made here and not there: a password within `ALTER ROLE` would be
 * readable in the server's log, in pg_stat_activity and in pg_stat_statements.
 */
export async function scramVerifier(
  password: string,
  salt: Buffer = randomBytes(saltBytes),
  iterations = defaultIterations,
): Promise<string> {
  const salted = await pbkdf2(prepared(password), salt, iterations, 32, "sha256");
  const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest();
  const serverKey = hmac(salted, "Server Key");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey.toString("base64")}:${serverKey.toString("base64")}`;
}

/** True for what PostgreSQL takes for a stored form already, and keeps as it is. */
export function isStoredForm(password: string): boolean {
  return /^md5[0-9a-f]{32}$/.test(password) || scramForm.test(password);
}

const scramForm = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;

/** Whether a password is the one behind what the server stores (`pg_authid.rolpassword`). */
export async function matchesStored(password: string, stored: string, role: string): Promise<boolean> {
  if (isStoredForm(password)) return password === stored;
  const [, iterations, salt] = scramForm.exec(stored) ?? [];
  const expected =
    iterations === undefined || salt === undefined
      ? `md5${createHash("md5")
          .update(password + role)
          .digest("hex")}`
      : await scramVerifier(password, Buffer.from(salt, "base64"), Number(iterations));
  return expected.length === stored.length && timingSafeEqual(Buffer.from(expected), Buffer.from(stored));
}

/** SASLprep's mappings (RFC 4013), the part of it that changes bytes: servers and libpq do the same before hashing. */
function prepared(password: string): string {
  return password
    .replace(/[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/g, " ")
    .replace(mappedToNothing, "")
    .normalize("NFKC");
}

/** RFC 3454, table B.1. An alternation, since a character class would join some of these with their neighbours. */
const mappedToNothing = /\u00AD|\u034F|\u1806|\u180B|\u180C|\u180D|\u200C|\u200D|\u2060|[\uFE00-\uFE0F]|\uFEFF/g;
