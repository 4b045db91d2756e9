import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/** What PostgreSQL itself uses (`scram_iterations`). */
const iterations = 4096;
const saltBytes = 16;

/**
 * A password as PostgreSQL stores it (RFC 5803, `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`), for `ALTER ROLE … PASSWORD`: sent this
 * way the password itself never reaches the server's log or its statement statistics. psql's `\password` does the same; pg has no function for it.
 *
 * @param password printable ASCII, as the kit generates them; others would need SASLprep (RFC 4013)
 */
export async function scramVerifier(password: string, salt: Buffer = randomBytes(saltBytes)): Promise<string> {
  const salted = await derive(password, salt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const serverKey = createHmac("sha256", salted).update("Server Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest();
  const base64 = (bytes: Buffer) => bytes.toString("base64");
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}
