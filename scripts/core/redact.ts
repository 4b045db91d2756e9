/** Length below which a secret is not masked. It is not worth it, and masking it would garble every message. */
const shortestSecret = 6;

/** Text that replaces a secret. */
const mask = "[secret]";

/** Matches up to the last `@` before the path, because a password that is not encoded can contain an `@`. */
const passwordInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*:)[^\s/]+(@)/gi;

/**
 * Masks secrets in text that users or logs will see. Masks known secrets (also percent-encoded, as in URLs), and the
 * password part of anything that looks like a URL. This is the only place that does so.
 */
export function redact(text: string, secrets: Iterable<string> = []): string {
  const hidden = formsOf(secrets).map((form) => form.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  // In one pass, so that masked text is not searched again.
  const clean = hidden.length === 0 ? text : text.replaceAll(new RegExp(hidden.join("|"), "g"), mask);
  return clean.replace(passwordInUrl, `$1${mask}$2`);
}

/**
 * Returns the forms in which secrets can occur in a text, longest first. If one secret contains another, masking the
 * shorter one first would leave a rest of the longer one.
 */
function formsOf(secrets: Iterable<string>): string[] {
  const worthHiding = [...secrets].filter(({ length }) => length >= shortestSecret);
  const forms = worthHiding.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ]);
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}
