import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One change of a file that removes or weakens a behaviour, and the tests that must fail with it. */
export interface Mutation {
  /** Path from the project directory. */
  file: string;
  /** Text of the file; it occurs exactly once. */
  find: string;
  replace: string;
  /** Test files; at least one of their tests must fail. */
  tests: readonly string[];
}

/** Returns the reason why a mutation does not fit its file; undefined if it fits. */
export async function mutationFault(
  root: string,
  { file, find, replace, tests }: Mutation,
): Promise<string | undefined> {
  const text = await readFile(join(root, file), "utf8").catch(() => undefined);
  if (text === undefined) return `${file} does not exist`;
  const matches = text.split(find).length - 1;
  if (find === "" || matches !== 1) return `${file} contains ${matches} times instead of once:\n${find}`;
  if (find === replace) return `${file}: the mutation changes nothing:\n${find}`;
  if (tests.length === 0) return `${file}: no test is named for the mutation of:\n${find}`;
  return undefined;
}

/** Runs `use` while a file of the project directory `root` is mutated, and restores the file. */
export async function withMutation<T>(
  root: string,
  { file, find, replace }: Mutation,
  use: () => Promise<T>,
): Promise<T> {
  const path = join(root, file);
  const text = await readFile(path, "utf8");
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
  try {
    return await use();
  } finally {
    await writeFile(path, text);
  }
}

/** Prints a mutation as a diff without context lines. */
export function describeMutation({ file, find, replace }: Mutation): string {
  const lines = (text: string, sign: string) => text.split("\n").map((line) => `  ${sign} ${line.trim()}`);
  return [file, ...lines(find, "-"), ...(replace === "" ? [] : lines(replace, "+"))].join("\n");
}
