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
  const hidden = formsOf(secrets).map((form) => form.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  // In one pass, so that nothing is looked for in what has been masked already.
  const clean = hidden.length === 0 ? text : text.replaceAll(new RegExp(hidden.join("|"), "g"), mask);
  return clean.replace(passwordInUrl, `$1${mask}$2`);
}

/** As they may stand in a text, longest first: of two secrets where one holds the other, the shorter would leave a rest of the longer. */
function formsOf(secrets: Iterable<string>): string[] {
  const worthHiding = [...secrets].filter(({ length }) => length >= shortestSecret);
  const forms = worthHiding.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ]);
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}
