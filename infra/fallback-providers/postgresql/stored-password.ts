import { createHash, timingSafeEqual } from "node:crypto";
import { scramVerifier } from "../../../scripts/connection/scram.ts";

const scramForm = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;

/** Returns true for a password that PostgreSQL accepts as a stored form and keeps unchanged. */
export function isStoredForm(password: string): boolean {
  return /^md5[0-9a-f]{32}$/.test(password) || scramForm.test(password);
}

/** Returns true if a password matches the stored form (`pg_authid.rolpassword`). */
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
