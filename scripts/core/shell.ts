/** Quotes a value as one word of a POSIX shell. */
export function shellQuote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/**
 * Returns lines for a POSIX shell that set these variables, unset the undefined ones, and put the folders first on
 * PATH.
 */
export function shellExports(
  variables: Readonly<Record<string, string | undefined>>,
  pathPrefix: readonly string[],
): string {
  const lines = Object.entries(variables)
    .filter(([name]) => name !== "PATH")
    .map(([name, value]) => (value === undefined ? `unset ${name}` : `export ${name}=${shellQuote(value)}`));
  if (pathPrefix.length > 0) lines.unshift(`export PATH=${shellQuote(pathPrefix.join(":"))}":$PATH"`);
  return `${lines.join("\n")}\n`;
}
