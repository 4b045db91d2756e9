import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { unlessAbsent } from "../files/absent.ts";

/** A login that a seed makes, for people to try the system with. */
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
  /** `--! Login: user / password`, one a line. */
  logins: SeedLogin[];
  /** Hex, of the whole file. */
  sha256: string;
  text: string;
}

/** The set whose content production has too; its files may name no login. */
const referenceSet = "reference";

/** Names of the sets that a database's folder holds, sorted. */
export async function listSeedSets(folder: string): Promise<string[]> {
  const entries = (await unlessAbsent(readdir(path.join(folder, "seeds"), { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/**
 * The files of the named sets: sets in the order given, files by name.
 * @throws OperationError (wrong usage) for a set without a folder, and with every fault of the files' headers.
 */
export async function readSeedSets(folder: string, sets: readonly string[]): Promise<SeedFile[]> {
  const faults: string[] = [];
  const files: SeedFile[] = [];
  for (const set of sets) {
    const names = await unlessAbsent(readdir(path.join(folder, "seeds", set)));
    if (names === undefined) throw await unknownSet(folder, set);
    for (const filename of names.filter((name) => name.endsWith(".sql")).sort()) {
      const content = await readFile(path.join(folder, "seeds", set, filename));
      const text = content.toString("utf8");
      const headers = parseSeedHeaders(text);
      if (set === referenceSet && headers.logins.length > 0) {
        headers.faults.push("it names a login, and the set reference goes to production");
      }
      faults.push(...headers.faults.map((fault) => `${set}/${filename}: ${fault}`));
      const sha256 = createHash("sha256").update(content).digest("hex");
      files.push({ set, filename, title: headers.title, logins: headers.logins, sha256, text });
    }
  }
  if (faults.length === 0) return files;
  throw new OperationError(
    [`Seeds in ${path.join(folder, "seeds")} are not valid:`, ...faults.map((fault) => `- ${fault}`)].join("\n"),
    {
      remedy: "Headers stand at the top of a file: --! Title: text, --! Login: user / password.",
      exitCode: exitCode.usage,
    },
  );
}

/** The header lines at the top of a seed file. */
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
      if (user === undefined || password === undefined) faults.push("a login is not of the form: user / password");
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
  return new OperationError(`There is no seed set "${set}" in ${path.join(folder, "seeds")} (${there}).`, {
    remedy: `A set is a folder of SQL files: name one that exists, or add ${path.join(folder, "seeds", set)}.`,
    exitCode: exitCode.usage,
  });
}
