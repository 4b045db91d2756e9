/**
 * Quotes a text for a migration. Control characters are escaped, so that no line of the file begins in a text of the
 * source; so is a colon that graphile-migrate could take for a placeholder.
 */
export function sqlText(text: string): string {
  const escaped = text.replace(/[\p{Cc}\\]|:(?=[A-Z])/gu, (character) =>
    character === "\\" ? "\\\\" : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  const quoted = `'${escaped.replaceAll("'", "''")}'`;
  return escaped === text ? quoted : `E${quoted}`;
}

/** Returns a text that fits in one line of a comment. */
export function commentText(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").trim();
}
