import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { unlessAbsent } from "../core/absent.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { decodeUtf8 } from "../core/utf8.ts";

/** A login that a seed creates, so that people can try the system. */
export interface SeedLogin {
  user: string;
  password: string;
}

/** One file of `seeds/<set>/`. */
export interface SeedFile {
  set: string;
  /** `010-users.sql` */
  filename: string;
  /** `--! Title:` */
  title: string | undefined;
  /** `--! Login: user / password`, one per line. */
  logins: SeedLogin[];
  /** SHA-256 of the whole file, in hex. */
  sha256: string;
  text: string;
}

/** The set that also goes to production. Its files may name no login. */
const referenceSet = "reference";

/** Returns the names of the sets in a database's folder, sorted. */
export async function listSeedSets(folder: string): Promise<string[]> {
  const entries = (await unlessAbsent(readdir(path.join(folder, "seeds"), { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/**
 * Returns the files of the named sets: sets in the given order, files by name.
 *
 * @throws OperationError (exit code usage) for a set without a folder, and for all errors in the files' headers
 */
export async function readSeedSets(folder: string, sets: readonly string[]): Promise<SeedFile[]> {
  const faults: string[] = [];
  const files: SeedFile[] = [];
  for (const set of sets) {
    const entries = await unlessAbsent(readdir(path.join(folder, "seeds", set)));
    if (entries === undefined) throw await unknownSet(folder, set);
    // Editors keep hidden copies and locks (.#x.sql) beside a file.
    const names = entries.filter((name) => /\.sql\s*$/i.test(name) && !name.startsWith(".")).sort();
    for (const filename of names) {
      if (!filename.endsWith(".sql")) {
        faults.push(`${set}/${filename}: its name must end in .sql in lower case, or it would never run`);
        continue;
      }
      const content = await readFile(path.join(folder, "seeds", set, filename));
      const { text, fault } = decodeUtf8(content);
      if (fault !== undefined) faults.push(`${set}/${filename}: ${fault}`);
      const headers = parseSeedHeaders(text);
      if (set === referenceSet && headers.logins.length > 0) {
        headers.faults.push("it contains a login, but the set reference is for production");
      }
      faults.push(...headers.faults.map((fault) => `${set}/${filename}: ${fault}`));
      // Git may check a file out with CRLF. That is no change of the seed.
      const sha256 = createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex");
      files.push({ set, filename, title: headers.title, logins: headers.logins, sha256, text });
    }
  }
  if (faults.length === 0) return files;
  throw new OperationError(
    [`Seeds in ${path.join(folder, "seeds")} are not valid:`, ...faults.map((fault) => `- ${fault}`)].join("\n"),
    {
      hint: "Write headers at the top of a file: --! Title: text, --! Login: user / password.",
      exitCode: exitCode.usage,
    },
  );
}

/** Parses the header lines at the top of a seed file. */
export function parseSeedHeaders(text: string): { title: string | undefined; logins: SeedLogin[]; faults: string[] } {
  const faults: string[] = [];
  const logins: SeedLogin[] = [];
  let title: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (!line.startsWith("--!")) break;
    const [, name = "", value = ""] = /^--!\s*([A-Za-z]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === "Title" && value !== "") {
      if (title !== undefined) faults.push("it has more than one title");
      title = value;
    } else if (name === "Login") {
      const [, user, password] = /^(\S+)\s+\/\s+(\S.*)$/.exec(value) ?? [];
      if (user === undefined || password === undefined) faults.push("a login does not have the form: user / password");
      else logins.push({ user, password });
    } else {
      faults.push(`its header line "${line.trim()}" is not understood`);
    }
  }
  return { title, logins, faults };
}

async function unknownSet(folder: string, set: string): Promise<OperationError> {
  const known = await listSeedSets(folder);
  const there = known.length === 0 ? "there is none" : `there are: ${known.join(", ")}`;
  return new OperationError(`The seed set "${set}" does not exist in ${path.join(folder, "seeds")} (${there}).`, {
    hint: `A set is a folder of SQL files. Name an existing set, or create ${path.join(folder, "seeds", set)}.`,
    exitCode: exitCode.usage,
  });
}
