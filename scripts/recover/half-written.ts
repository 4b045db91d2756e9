import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../files/absent.ts";
import { engineLocks, isInUse } from "./engine-locks.ts";
import type { Finding, Scene } from "./finding.ts";

/** Nothing takes longer to write than this, in ms; what is older was broken off. */
const writtenWithin = 10 * 60_000;

/** Files that are renamed into place when they are whole, by where they lie. */
interface Place {
  folder: string;
  isOne: (name: string) => boolean;
  /** Whether somebody may be writing one; undefined: nobody can tell, and its age decides. */
  mayBeWritten?: () => Promise<boolean>;
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
    { folder: join(home, "postgresql"), isOne: (name) => binaries.test(name) },
    { folder: own, isOne: (name) => passphrase.test(name) || exportedState.test(name) },
  ];
  if (state !== undefined) {
    const isOne = (name: string) => name.startsWith(`${stack}.json.`) && name.endsWith(".tmp");
    places.push({
      folder: join(state, "stacks", project),
      isOne,
      mayBeWritten: async () => isInUse(await engineLocks(state, project, stack)),
    });
  }
  return (await Promise.all(places.map(findingsIn))).flat();
}

async function findingsIn(place: Place): Promise<Finding[]> {
  return (await leftIn(place)).map((path) => ({
    kind: "files",
    found: `it was never written to its end: ${path}`,
    action: "delete it",
    act: async () => {
      // Whoever is writing it had locked the stack before it was found here. A run that took the lock since has files of its own.
      if (!(await place.mayBeWritten?.())) await rm(path, { recursive: true, force: true });
    },
  }));
}

async function leftIn({ folder, isOne, mayBeWritten }: Place): Promise<string[]> {
  const names = (await unlessAbsent(readdir(folder))) ?? [];
  const paths = names.filter(isOne).map((name) => join(folder, name));
  if (mayBeWritten !== undefined) return paths;
  const ages = await Promise.all(paths.map(ageOf));
  return paths.filter((_, index) => (ages[index] ?? 0) > writtenWithin);
}

/** In ms; undefined: it is gone. */
async function ageOf(path: string): Promise<number | undefined> {
  const now = Date.now();
  return unlessAbsent(stat(path).then(({ mtimeMs }) => now - mtimeMs));
}
