import { rename, rm } from "node:fs/promises";
import path from "node:path";
import { chain, type Draft, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";

/** The first three are applied, the last one is pending. */
export const drafts: Draft[] = [
  { name: "one", body: "-- the first\ncreate table one (id int primary key);" },
  { name: "two", body: "create table two (id int primary key);\ninsert into two values (1);" },
  { name: "three", body: "create table three (id int primary key);", headers: ["--! Message: the third"] },
  { name: "four", body: "create table four (id int primary key);" },
];

/**
 * A change to the folder and the expected messages, one line for each fault. `HASH` stands for any sha1, `SHA256` for
 * any sha256.
 */
export interface Tampering {
  name: string;
  tamper: (made: TestFolder) => Promise<unknown>;
  /** Returns the expected messages, given the original hashes of the four files. */
  says: (hashes: string[]) => string[];
  /** False if the files cannot be read, and so cannot be compared with the applied ones. */
  readable?: false;
}

export const names = chain(drafts).map(({ filename }) => filename);
const [one = "", two = "", three = "", four = ""] = names;
const text = ({ migrations }: TestFolder, name: string) =>
  migrations.find((each) => each.filename === name)?.text ?? "";
const changed = (name: string, from: string | RegExp, to: string) => (made: TestFolder) => {
  const before = text(made, name);
  const after = before.replace(from, to);
  if (after === before) throw new Error(`nothing was changed in ${name}`);
  return made.write(name, after);
};
const file = ({ folder }: TestFolder, name: string) => path.join(folder, "committed", name);
const move = (from: string, to: string) => (made: TestFolder) => rename(file(made, from), file(made, to));
/** Edits a file and corrects its hash and all that follow, as if to hide the edit. */
const refitted = (index: number, from: string, to: string) => async (made: TestFolder) => {
  const edited = drafts.map((draft, at) => (at === index ? { ...draft, body: draft.body.replace(from, to) } : draft));
  for (const each of chain(edited)) await made.write(each.filename, each.text);
};
const edited = (name: string, hash: string | undefined, now = "HASH") =>
  `- ${name} was edited after it was applied: applied ${hash}, now ${now}`;
const shaOf = (name: string) => edited(name, "sha256:SHA256", "sha256:SHA256");

export const tamperings: Tampering[] = [
  {
    name: "an edited statement",
    tamper: changed(two, "values (1)", "values (2)"),
    says: ([, second]) => [edited(two, second)],
  },
  {
    name: "a byte changed in a comment",
    tamper: changed(one, "first", "fjrst"),
    says: ([first]) => [edited(one, first)],
  },
  {
    name: "an edited statement with its hash and all later hashes corrected",
    tamper: refitted(1, "values (1)", "values (2)"),
    says: ([, second, third]) => [edited(two, second), edited(three, third)],
  },
  {
    name: "AllowInvalidHash on a file that was not edited",
    tamper: changed(two, "\n\n", "\n--! AllowInvalidHash\n\n"),
    says: ([, second]) => [`- ${two} has AllowInvalidHash, but its hash ${second} is valid: remove the header`],
  },
  {
    name: "an edited message",
    tamper: changed(three, "the third", "the 3rd"),
    says: () => [shaOf(three)],
  },
  { name: "an extra header", tamper: changed(three, "\n\n", "\n--! Included: x.sql\n\n"), says: () => [shaOf(three)] },
  { name: "an extra blank line at the end", tamper: changed(three, /$/, "\n"), says: () => [shaOf(three)] },
  {
    name: "a Previous header of another file",
    tamper: changed(two, /Previous: \S+/, `Previous: sha1:${"0".repeat(40)}`),
    says: ([, second]) => [edited(two, second)],
  },
  {
    name: "a Hash header of another file",
    tamper: changed(three, /Hash: \S+/, `Hash: sha1:${"0".repeat(40)}`),
    says: ([, , third]) => [edited(three, third, `sha1:${"0".repeat(40)}`)],
  },
  {
    name: "a deleted file",
    tamper: (made) => rm(file(made, two)),
    says: ([, second]) => [`- ${two} is applied (${second}), but its file is missing`],
  },
  {
    name: "a renamed file",
    tamper: move(two, "000002-second.sql"),
    says: () => ["- 000002-second.sql was applied as 000002-two.sql and now has another name"],
  },
  {
    name: "a file moved to a free number (a gap)",
    tamper: move(two, "000012-two.sql"),
    says: () => ["- 000012-two.sql was applied as 000002.sql, but is now 000012.sql"],
  },
  {
    name: "two swapped files",
    tamper: async (made) => {
      await move(two, "000009-aside.sql")(made);
      await move(three, "000002-three.sql")(made);
      await move("000009-aside.sql", "000003-two.sql")(made);
    },
    says: () => [
      "- 000003-two.sql was applied as 000002.sql, but is now 000003.sql",
      "- 000002-three.sql was applied as 000003.sql, but is now 000002.sql",
    ],
  },
  {
    name: "an inserted file",
    tamper: (made) =>
      made.write("000000-zero.sql", chain([{ name: "zero", body: "create table zero ();" }], 0)[0]?.text ?? ""),
    says: () => ["- 000000-zero.sql (HASH) is not applied, but comes before files that are"],
  },
  {
    name: "a file truncated in its body",
    tamper: changed(two, "\ninsert into two values (1);\n", ""),
    says: ([, second]) => [edited(two, second)],
  },
  {
    name: "CRLF in its body",
    tamper: changed(two, "key);\n", "key);\r\n"),
    says: ([, second]) => [edited(two, second)],
  },
  {
    name: "a byte order mark before its body, which graphile-migrate ignores",
    tamper: changed(two, "\n\n", "\n\n\uFEFF"),
    says: () => [shaOf(two)],
  },
  {
    name: "a pending file that was edited after it was committed",
    tamper: changed(four, "int", "bigint"),
    says: (hashes) => [
      `- ${four} was edited after it was committed: the hash in its header is ${hashes[3]}, the hash of its body is HASH`,
    ],
  },
  {
    name: "a pending file whose predecessor is missing (a gap)",
    tamper: async (made) => {
      const [next] = chain([{ name: "five", body: "select 5;" }], 5, `sha1:${"5".repeat(40)}`);
      await made.write("000005-five.sql", next?.text ?? "");
    },
    says: (hashes) => [`- 000005-five.sql follows sha1:${"5".repeat(40)}, but the file before it has ${hashes[3]}`],
  },
  {
    name: "several of these at once",
    tamper: async (made) => {
      await changed(one, "first", "1st")(made);
      await rm(file(made, two));
      await changed(three, "the third", "the 3rd")(made);
    },
    says: ([first, second]) => [
      edited(one, first),
      `- ${two} is applied (${second}), but its file is missing`,
      shaOf(three),
    ],
  },
  {
    name: "a file that would never run because of its name",
    tamper: (made) => made.write("000005-add.v2.sql", text(made, four)),
    says: () => [
      "- 000005-add.v2.sql: its name is not that of a migration, so it would never run; a name is a number, a hyphen, and letters, digits, - or _ (000012-add-prices.sql, 000012-add-prices.down.sql)",
    ],
    readable: false,
  },
  {
    name: "two files of the same number",
    tamper: (made) => made.write("000002-again.sql", text(made, two)),
    says: () => ["- 000002-again.sql, 000002-two.sql: they have the same number"],
    readable: false,
  },
  {
    name: "an empty file",
    tamper: (made) => made.write(two, ""),
    says: () => [`- ${two}: it has no --! Previous: header`],
    readable: false,
  },
  {
    name: "a file truncated in its headers",
    tamper: (made) => made.write(two, text(made, two).split("\n").slice(0, 1).join("\n")),
    says: () => [`- ${two}: there should be two newlines after the headers section`],
    readable: false,
  },
  {
    name: "a file without its Hash header",
    tamper: changed(two, /--! Hash: \S+\n/, ""),
    says: () => [`- ${two}: it has no --! Hash: header`],
    readable: false,
  },
  {
    name: "a duplicate Hash header",
    tamper: changed(two, /(--! Hash: \S+\n)/, "$1$1"),
    says: () => [`- ${two}: header 'Hash' is specified more than once`],
    readable: false,
  },
  {
    name: "CRLF throughout",
    tamper: changed(two, /\n/g, "\r\n"),
    says: () => [`- ${two}: its header lines end in CRLF; they must end in LF (with Git: *.sql text eol=lf)`],
    readable: false,
  },
  {
    name: "a byte order mark",
    tamper: changed(two, /^/, "\uFEFF"),
    says: () => [`- ${two}: it begins with a byte order mark; save it as UTF-8 without one`],
    readable: false,
  },
];
