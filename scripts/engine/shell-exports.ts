/** A value as one word of a POSIX shell. */
export function shellQuote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** `export` lines that give a POSIX shell these variables and put these folders first on its PATH. */
export function shellExports(variables: Readonly<Record<string, string>>, pathPrefix: readonly string[]): string {
  const lines = Object.entries(variables)
    .filter(([name]) => name !== "PATH")
    .map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  if (pathPrefix.length > 0) lines.unshift(`export PATH=${shellQuote(pathPrefix.join(":"))}":$PATH"`);
  return `${lines.join("\n")}\n`;
}
