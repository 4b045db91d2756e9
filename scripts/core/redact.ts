import { mask } from "./secret-names.ts";

/** Length below which a secret is not masked. It is not worth it, and masking it would garble every message. */
const shortestSecret = 6;

/** Matches up to the last `@` before the path, because a password that is not encoded can contain an `@`. */
const passwordInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*:)[^\s/]+(@)/gi;

/**
 * Masks secrets in text that users or logs will see. Masks known secrets (also percent-encoded, as in URLs), and the
 * password part of anything that looks like a URL. Values whose name suggests a secret are masked where they are
 * formatted (see `secret-names.ts`).
 */
export function redact(text: string, secrets: Iterable<string> = []): string {
  return withoutForms(text, formsOf(secrets)).replace(passwordInUrl, `$1${mask}$2`);
}

/**
 * Masks forms in one pass, so that masked text is not searched again. A regular expression of all forms would be too
 * large: a secret can be a whole file.
 *
 * @param forms longest first
 */
function withoutForms(text: string, forms: readonly string[]): string {
  const found = forms.map((form) => ({ form, at: text.indexOf(form) }));
  let clean = "";
  for (let from = 0; ; ) {
    let first: { form: string; at: number } | undefined;
    for (const each of found) {
      if (each.at !== -1 && each.at < from) each.at = text.indexOf(each.form, from);
      if (each.at !== -1 && (first === undefined || each.at < first.at)) first = each;
    }
    if (first === undefined) return clean + text.slice(from);
    clean += text.slice(from, first.at) + mask;
    from = first.at + first.form.length;
  }
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
