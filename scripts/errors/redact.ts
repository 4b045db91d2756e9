/** Shorter strings are no secrets worth hiding, and hiding them would garble every message. */
const shortestSecret = 6;

/** What stands where a secret stood. */
const mask = "[secret]";

/** Up to the last `@` before the path: a password that was not encoded may hold one itself. */
const passwordInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*:)[^\s/]+(@)/gi;

/**
 * The one place where secrets are taken out of text that people or logs will see: known secrets wherever they stand
 * (also percent-encoded, as in URLs), and the password part of anything that looks like a URL.
 */
export function redact(text: string, secrets: Iterable<string> = []): string {
  let clean = text;
  // Longest first: of two secrets where one holds the other, the shorter would leave a rest of the longer.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length < shortestSecret) continue;
    for (const form of new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])) {
      clean = clean.replaceAll(form, mask);
    }
  }
  return clean.replace(passwordInUrl, `$1${mask}$2`);
}
