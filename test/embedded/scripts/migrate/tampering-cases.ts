import { rename, rm } from "node:fs/promises";
import path from "node:path";
import { chain, type Draft, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";

/** Three of these are applied, the last one is pending. */
export const drafts: Draft[] = [
  { name: "one", body: "-- the first\ncreate table one (id int primary key);" },
  { name: "two", body: "create table two (id int primary key);\ninsert into two values (1);" },
  { name: "three", body: "create table three (id int primary key);", headers: ["--! Message: the third"] },
  { name: "four", body: "create table four (id int primary key);" },
];

/** What is done to the folder, and what is said then: one line a fault, `HASH` for any sha1, `SHA256` for any sha256. */
export interface Tampering {
  name: string;
  tamper: (made: TestFolder) => Promise<unknown>;
  /** From the hashes of the four files as they were. */
  says: (hashes: string[]) => string[];
  /** Whether the files can be read at all, so that they can be compared with what is applied. */
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
/** As somebody would who wants it to fit: the edited file's hash, and all that follow. */
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
    name: "an edited statement with its hash made to fit again, and all hashes behind it",
    tamper: refitted(1, "values (1)", "values (2)"),
    says: ([, second, third]) => [edited(two, second), edited(three, third)],
  },
  {
    name: "an edited statement with AllowInvalidHash",
    tamper: (made) =>
      made.write(
        two,
        text(made, two).replace("\n\n", "\n--! AllowInvalidHash\n\n").replace("values (1)", "values (2)"),
      ),
    says: () => [shaOf(two)],
  },
  {
    name: "an edited message",
    tamper: changed(three, "the third", "the 3rd"),
    says: () => [shaOf(three)],
  },
  { name: "a header more", tamper: changed(three, "\n\n", "\n--! Included: x.sql\n\n"), says: () => [shaOf(three)] },
  { name: "a blank line more at its end", tamper: changed(three, /$/, "\n"), says: () => [shaOf(three)] },
  {
    name: "a Previous header that is another's",
    tamper: changed(two, /Previous: \S+/, `Previous: sha1:${"0".repeat(40)}`),
    says: ([, second]) => [edited(two, second)],
  },
  {
    name: "a Hash header that is another's",
    tamper: changed(three, /Hash: \S+/, `Hash: sha1:${"0".repeat(40)}`),
    says: ([, , third]) => [edited(three, third, `sha1:${"0".repeat(40)}`)],
  },
  {
    name: "a deleted file",
    tamper: (made) => rm(file(made, two)),
    says: ([, second]) => [`- ${two} is applied (${second}) and its file is missing`],
  },
  {
    name: "a renamed file",
    tamper: move(two, "000002-second.sql"),
    says: () => ["- 000002-second.sql was applied as 000002-two.sql and has another name now"],
  },
  {
    name: "a file under a number that is free (a gap)",
    tamper: move(two, "000012-two.sql"),
    says: () => ["- 000012-two.sql was applied as 000002.sql and now stands as 000012.sql"],
  },
  {
    name: "two files that changed places",
    tamper: async (made) => {
      await move(two, "000009-aside.sql")(made);
      await move(three, "000002-three.sql")(made);
      await move("000009-aside.sql", "000003-two.sql")(made);
    },
    says: () => [
      "- 000003-two.sql was applied as 000002.sql and now stands as 000003.sql",
      "- 000002-three.sql was applied as 000003.sql and now stands as 000002.sql",
    ],
  },
  {
    name: "an inserted file",
    tamper: (made) =>
      made.write("000000-zero.sql", chain([{ name: "zero", body: "create table zero ();" }], 0)[0]?.text ?? ""),
    says: () => ["- 000000-zero.sql (HASH) is not applied and stands before files that are"],
  },
  {
    name: "a file cut off in its body",
    tamper: changed(two, "\ninsert into two values (1);\n", ""),
    says: ([, second]) => [edited(two, second)],
  },
  {
    name: "CRLF in its body",
    tamper: changed(two, "key);\n", "key);\r\n"),
    says: ([, second]) => [edited(two, second)],
  },
  {
    name: "a byte order mark before its body, which graphile-migrate does not see",
    tamper: changed(two, "\n\n", "\n\n\uFEFF"),
    says: () => [shaOf(two)],
  },
  {
    name: "a pending file that was edited after it was committed",
    tamper: changed(four, "int", "bigint"),
    says: (hashes) => [
      `- ${four} was edited after it was committed: its header says ${hashes[3]}, its body makes HASH`,
    ],
  },
  {
    name: "a pending file that follows another one than is there (a gap)",
    tamper: async (made) => {
      const [next] = chain([{ name: "five", body: "select 5;" }], 5, `sha1:${"5".repeat(40)}`);
      await made.write("000005-five.sql", next?.text ?? "");
    },
    says: (hashes) => [`- 000005-five.sql follows sha1:${"5".repeat(40)}, and the file before it has ${hashes[3]}`],
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
      `- ${two} is applied (${second}) and its file is missing`,
      shaOf(three),
    ],
  },
  {
    name: "two files of the same number",
    tamper: (made) => made.write("000002-again.sql", text(made, two)),
    says: () => ["- 000002-again.sql, 000002-two.sql: they have the same number"],
    readable: false,
  },
  {
    name: "an emptied file",
    tamper: (made) => made.write(two, ""),
    says: () => [`- ${two}: it has no --! Previous: header`],
    readable: false,
  },
  {
    name: "a file cut off in its headers",
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
    name: "a Hash header twice",
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
    says: () => [`- ${two}: it begins with a byte order mark; save it as UTF-8 without`],
    readable: false,
  },
];
