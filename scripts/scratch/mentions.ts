/**
 * Objects outside the database that SQL texts mention. Searches the text itself, because statements can be in DO blocks
 * and functions.
 */
export interface Mentions {
  /** Roles that a text creates. */
  createdRoles: ReadonlySet<string>;
  /** Extensions that a text creates. */
  extensions: ReadonlySet<string>;
  /** Settings that a text stores for a database or a role, in lower case. */
  storedSettings: ReadonlySet<string>;
  /** Returns true if a text contains a name. */
  has(name: string): boolean;
}

const name = '("(?:[^"]|"")+"|[\\w$]+)';
const createRole = new RegExp(`\\bcreate\\s+(?:role|user|group)\\s+(?:if\\s+not\\s+exists\\s+)?${name}`, "gi");
const createExtension = new RegExp(`\\bcreate\\s+extension\\s+(?:if\\s+not\\s+exists\\s+)?${name}`, "gi");
const storeSetting = new RegExp(
  `\\balter\\s+(?:database|role|user)\\b[^;]*?\\b(?:set|reset)\\s+${name.replace("\\w$", "\\w.")}`,
  "gi",
);

/** Reads the objects that SQL texts mention. */
export function readMentions(texts: readonly string[]): Mentions {
  const all = texts.join("\n;\n");
  const names = (pattern: RegExp) => new Set([...all.matchAll(pattern)].map(([, found = ""]) => unquoted(found)));
  const lower = all.toLowerCase();
  return {
    createdRoles: names(createRole),
    extensions: names(createExtension),
    storedSettings: new Set([...names(storeSetting)].map((each) => each.toLowerCase())),
    has: (wanted) => hasWord(lower, wanted.toLowerCase()),
  };
}

/** Removes the quotes, or folds the name as PostgreSQL does. */
function unquoted(found: string): string {
  return found.startsWith('"') ? found.slice(1, -1).replaceAll('""', '"') : found.toLowerCase();
}

function hasWord(text: string, word: string): boolean {
  const isPart = (character: string | undefined) => character !== undefined && /[\w$]/.test(character);
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    if (!isPart(text[at - 1]) && !isPart(text[at + word.length])) return true;
  return false;
}
