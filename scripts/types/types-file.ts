import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../core/absent.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";

/** Name of the generated file in a database's folder. */
export const typesFilename = "types.ts";

/** A generated file, and its difference from the one in the folder. */
export interface TypesFile {
  file: string;
  text: string;
  /** `absent` if the folder has none. */
  state: "current" | "outdated" | "absent";
  /** First line that differs, from 1. */
  line?: number;
}

/** Returns true if a database's folder has generated types. */
export async function hasTypes(folder: string): Promise<boolean> {
  return (await unlessAbsent(stat(join(folder, typesFilename)))) !== undefined;
}

/** Compares generated types with the file in a database's folder. */
export async function compareTypes(folder: string, text: string): Promise<TypesFile> {
  const file = join(folder, typesFilename);
  const found = await unlessAbsent(readFile(file, "utf8"));
  if (found === text) return { file, text, state: "current" };
  if (found === undefined) return { file, text, state: "absent" };
  const [before, after] = [found.split("\n"), text.split("\n")];
  const index = after.findIndex((line, at) => line !== before[at]);
  return { file, text, state: "outdated", line: (index === -1 ? after.length : index) + 1 };
}

/** Writes the file, completely or not at all. */
export function writeTypes({ file, text }: TypesFile): void {
  writeFileAtomically(file, text, { mode: 0o644 });
}
