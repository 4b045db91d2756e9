import type { Breach } from "./rules.ts";

/**
 * Phrases that are hard to read, with what to write instead. They are whole phrases: an ordinary word is never wrong by
 * itself.
 */
const phrases: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\bway back\b/i, "down migration"],
  [/\b(gives|gave|giving) way\b/i, "lock timeout, retrying"],
  [/\bstands? beside\b/i, "sidecar"],
  [/\bdoes not get on\b/i, "is failing"],
  [/\b(who may|lets? \w+) (come )?in\b/i, "accepts connections"],
  [/\bwith the rows in it\b/i, "with its data"],
  [/\bthere is not yet\b/i, "does not exist yet"],
  [/\b(takes?|taken|took) (it|them|that) back\b/i, "recovers"],
  [/\bhas no say\b/i, "is ignored"],
  [/\bto be had\b/i, "available"],
  [/\bwhere there (is|are) (none|no)\b/i, "if there is none"],
  [/\bin its way\b/i, "blocked by"],
  [/\btold of\b/i, "reported"],
  [/\b(takes|took|taken|taking) note of\b/i, "records"],
  [/\ball the while\b/i, "meanwhile"],
  [/\b(no ?body|no one) can tell\b/i, "is unknown"],
  [/\bwhosever\b/i, "any owner"],
  [/\bhalf[- ](made|built)\b/i, "unfinished"],
  [/\bonce more\b/i, "again"],
  [/\bas it (is|was) there\b/i, "as it exists"],
  [/\bwhere something is wrong\b/i, "if something is wrong"],
  [/\bof its own accord\b/i, "by itself"],
];

/** Matches each text that has one of the phrases: few do, and only their lines are searched for each phrase. */
const candidate = new RegExp(phrases.map(([{ source }]) => source).join("|"), "i");

/** Lists the hard phrases in a text. */
export function phrasesIn(text: string): Breach[] {
  if (!candidate.test(text)) return [];
  return text.split("\n").flatMap((line, index) =>
    phrases.flatMap(([phrase, instead]) => {
      const [found] = phrase.exec(line) ?? [];
      return found === undefined ? [] : [{ line: index + 1, message: `"${found}" is hard to read: ${instead}` }];
    }),
  );
}
