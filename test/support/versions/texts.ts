import { type Deployment, mapStrings } from "./deployment.ts";

/** Returns true for texts of several lines, which are kept in separate files for readers. */
const isLong = (text: string) => text.split("\n").length > 3;

const reference = /^\{\{text (.+)\}\}$/;

/** Moves long texts out of a state and leaves references. Equal texts share a file. */
export function withTextsApart(deployment: Deployment): { state: Deployment; texts: ReadonlyMap<string, string> } {
  const keys = new Map<string, Set<string>>();
  mapStrings(deployment, (text, key) => {
    if (isLong(text)) keys.set(text, (keys.get(text) ?? new Set()).add(key));
    return text;
  });
  const names = new Map<string, string>();
  for (const [text, candidates] of keys) names.set(text, freeName([...candidates], [...names.values()]));
  const state = mapStrings(deployment, (text) => (isLong(text) ? `{{text ${names.get(text)}}}` : text)) as Deployment;
  return { state, texts: new Map([...names].map(([text, name]) => [name, text])) };
}

/**
 * Names a file after a property that has the text. Prefers a key with a dot: the name of a file in a volume says most.
 */
function freeName(keys: readonly string[], taken: readonly string[]): string {
  const [key = "text"] = keys.toSorted((a, b) => Number(b.includes(".")) - Number(a.includes(".")));
  const names = [key, ...keys, ...taken.map((_, index) => `${key}.${index + 2}`), `${key}.${taken.length + 2}`];
  return names.find((name) => !taken.includes(name)) ?? key;
}

/** Returns the name of the text file that a value refers to, or undefined for an ordinary value. */
export function referredText(value: string): string | undefined {
  return reference.exec(value)?.[1];
}
