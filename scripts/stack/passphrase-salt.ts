import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unlessAbsentSync } from "../core/absent.ts";
import { stateFile } from "./state-file.ts";

/** Parameters of Pulumi's key derivation for passphrases (sdk/go/common/resource/config/crypt.go). */
const iterations = 1_000_000;
const keyBytes = 32;
const tagBytes = 16;

/** Text that Pulumi encrypts to verify a passphrase. */
const sample = "pulumi";

/** Returns true if a salt (`v1:<salt>:v1:<nonce>:<encrypted sample>`) was made with this passphrase. */
export function matchesSalt(passphrase: string, salt: string): boolean {
  const [version, key, , nonce, encrypted] = salt.split(":");
  if (version !== "v1" || key === undefined || nonce === undefined || encrypted === undefined) return false;
  const bytes = Buffer.from(encrypted, "base64");
  const derived = pbkdf2Sync(passphrase, Buffer.from(key, "base64"), iterations, keyBytes, "sha256");
  const decipher = createDecipheriv("aes-256-gcm", derived, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(0, -tagBytes)), decipher.final()]);
    return text.toString() === sample;
  } catch {
    // The tag does not match, so the passphrase is another one.
    return false;
  }
}

/** Reads the salts of a stack's state, if it is a local file, and of its settings file. */
export function encryptionSalts(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
): { state: string | undefined; settings: string | undefined } {
  const settings = unlessAbsentSync(() => readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8"));
  return {
    state: saltInState(stateFile(root, stack, env)),
    settings: settings?.match(/^encryptionsalt:\s*["']?(v1:[^\s"']+)/m)?.[1],
  };
}

/**
 * Finds the salt by text search, so that it is found in a damaged state, too. Returns "", which matches no passphrase,
 * if a state has no salt. Returns undefined if its secrets need no passphrase.
 */
function saltInState(file: string | undefined): string | undefined {
  const bytes = file === undefined ? undefined : unlessAbsentSync(() => readFileSync(file));
  if (file === undefined || bytes === undefined) return undefined;
  const text = file.endsWith(".gz") ? unpacked(bytes) : bytes.toString();
  const provider = /"secrets_providers"\s*:\s*\{\s*"type"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  if (provider !== undefined && provider !== "passphrase") return undefined;
  return /"salt"\s*:\s*"(v1:[^"]+)"/.exec(text)?.[1] ?? "";
}

function unpacked(bytes: Buffer): string {
  try {
    return gunzipSync(bytes).toString();
  } catch {
    return "";
  }
}
