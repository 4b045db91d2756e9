import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Finding, Scene } from "./finding.ts";

/** Nothing takes longer to write than this, in ms; what is older was broken off. */
const writtenWithin = 10 * 60_000;

/** Files that are renamed into place when they are whole, by where they lie. */
interface Place {
  folder: string;
  isOne: (name: string) => boolean;
  /** Whether nobody else can be writing one: only such are taken at any age. */
  exclusive: boolean;
}

const uuid = "[\\da-f]{8}(-[\\da-f]{4}){3}-[\\da-f]{12}";
const binaries = new RegExp(`^\\d.*\\.${uuid}$`);
const passphrase = /^passphrase\.\d+-[\da-f]{8}$/;
const exportedState = new RegExp(`^state-${uuid}\\.json$`);

/**
 * Files and folders that were being written beside their place.
 *
 * @param state the engine's folder of states, where it is on this machine
 */
export async function halfWritten({ root, home, stack }: Scene, project: string, state?: string): Promise<Finding[]> {
  const own = join(root, ".pgroundwork");
  const places: Place[] = [
    { folder: join(home, "postgresql"), isOne: (name) => binaries.test(name), exclusive: false },
    { folder: own, isOne: (name) => passphrase.test(name) || exportedState.test(name), exclusive: false },
  ];
  if (state !== undefined) {
    const isOne = (name: string) => name.startsWith(`${stack}.json.`) && name.endsWith(".tmp");
    places.push({ folder: join(state, "stacks", project), isOne, exclusive: true });
  }
  const found = (await Promise.all(places.map(leftIn))).flat();
  return found.map((path) => ({
    kind: "files",
    found: `it was never written to its end: ${path}`,
    action: "delete it",
    act: () => rm(path, { recursive: true, force: true }),
  }));
}

async function leftIn({ folder, isOne, exclusive }: Place): Promise<string[]> {
  const paths = (await names(folder)).filter(isOne).map((name) => join(folder, name));
  if (exclusive) return paths;
  const ages = await Promise.all(paths.map(ageOf));
  return paths.filter((_, index) => (ages[index] ?? 0) > writtenWithin);
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** In ms; undefined: it is gone. */
async function ageOf(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
