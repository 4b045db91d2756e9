/** A value in Prometheus's text format. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

const labelPattern = /([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"/g;
const samplePattern = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\["\\n])*",?)*)\})? +(\S+)$/;

/**
 * Parses Prometheus's text format, without timestamps. Lines that begin with `#` are ignored.
 *
 * @throws SyntaxError that names the first line that is not valid, and for a text that does not end with a line feed
 */
export function parseSamples(text: string): Sample[] {
  if (!text.endsWith("\n")) throw new SyntaxError("its end is missing");
  return text.split("\n").flatMap((line, index): Sample[] => {
    if (line === "" || line.startsWith("#")) return [];
    const [, name, labels = "", written = ""] = samplePattern.exec(line) ?? [];
    const value = Number(written);
    if (name === undefined || !Number.isFinite(value)) throw new SyntaxError(`line ${index + 1} is not valid`);
    const pairs = [...labels.matchAll(labelPattern)].map(
      ([, label = "", raw = ""]) => [label, unescaped(raw)] as const,
    );
    return [{ name, labels: Object.fromEntries(pairs), value }];
  });
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}
