/**
 * Parses Prometheus' text format, and throws for anything that the format does not allow: a sample without its HELP and
 * TYPE before it, a family in two places, a sample twice, a value that is not finite.
 *
 * @returns the value of each sample, by its name with labels
 */
export function samplesOf(text: string): Map<string, number> {
  if (!text.endsWith("\n")) throw new Error("the text does not end with a line feed");
  const samples = new Map<string, number>();
  const families = new Set<string>();
  let [family, hasType] = ["", false];
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const help = /^# HELP ([a-zA-Z_:][\w:]*) (?:[^\\]|\\\\|\\n)+$/.exec(line);
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (?:counter|gauge|histogram|summary|untyped)$/.exec(line);
    const sample = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\\\|\\"|\\n)*",?)+\})? (\S+)$/.exec(line);
    if (help?.[1] !== undefined) {
      if (families.has(help[1])) throw new Error(`family twice: ${line}`);
      [family, hasType] = [help[1], false];
      families.add(family);
    } else if (type?.[1] !== undefined) {
      if (type[1] !== family || hasType) throw new Error(`type without its help: ${line}`);
      hasType = true;
    } else if (sample?.[1] !== undefined) {
      const [, name, labels = "", value] = sample;
      if (name !== family || !hasType) throw new Error(`sample without its type: ${line}`);
      if (samples.has(name + labels)) throw new Error(`sample twice: ${line}`);
      if (!Number.isFinite(Number(value))) throw new Error(`not a finite number: ${line}`);
      samples.set(name + labels, Number(value));
    } else throw new Error(`not valid: ${line}`);
  }
  return samples;
}
