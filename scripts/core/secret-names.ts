/** Text that is shown instead of a secret. */
export const mask = "[secret]";

/** Words that suggest a secret in the name of a setting or key. */
const words = "password|passphrase|secret|token|conninfo";

const secretName = new RegExp(words, "i");
const namedSecret = new RegExp(`("[^"]*(?:${words})[^"]*"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, "gi");

/** Returns true if the name of a setting suggests that its value is a secret. */
export function namesSecret(name: string): boolean {
  return secretName.test(name);
}

/** Masks the values of keys that name a secret, in a JSON text. */
export function maskNamedSecrets(json: string): string {
  return json.replaceAll(namedSecret, `$1"${mask}"`);
}
