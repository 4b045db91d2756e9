import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { leadsNowhere, unlessAbsent } from "../../core/absent.ts";
import { cacheFolder, compileCacheFolder } from "../../pulumi/cache-folder.mjs";
import type { LeftoverContext, StackLeftover } from "./leftover.ts";
import type { KnownServer } from "./own-servers.ts";
import { engineLocks, isInUse } from "./stack-locks.ts";

/** Time limit in ms for writing a file. An older incomplete one was interrupted. */
const writtenWithin = 10 * 60_000;

/** Folder with files that get their final name when they are complete. */
interface Place {
  folder: string;
  isOne: (name: string) => boolean;
  /**
   * Returns true if a process may be writing a file. If undefined, this cannot be known, and the file's age decides.
   */
  mayBeWritten?: () => Promise<boolean>;
}

/*
 * Patterns of names that do not identify the writer: those of version 0.1.0, of Node and of the engine. Current names
 * of the kit identify their writer: see `temporaries`.
 */
const uuid = "[\\da-f]{8}(-[\\da-f]{4}){3}-[\\da-f]{12}";
const random = "\\d+-[\\da-f]{8}";
const binaries = new RegExp(`^\\d.*\\.${uuid}$`);
const inOwnFolder = new RegExp(
  `^(passphrase\\.${random}|(erasing-|ca-).*\\.${random}|state-${uuid}\\.json|new-database-${uuid})$`,
);
const inProject = new RegExp(`^(\\.env|Pulumi\\.(.+\\.)?yaml)\\.${uuid}$`);
const serverRecord = new RegExp(`^server\\.json\\.${uuid}$`);
const serverSettings = new RegExp(`^pgroundwork\\.(check-${uuid}(\\.conf)?|conf\\.new)$`);
const inCache = new RegExp(`\\.${random}$`);
/** Node compiles a module into `<hash>.<six letters>` and then renames it. */
const compiled = /^[\da-f]+\.[A-Za-z\d]{6}$/;

/**
 * Finds incomplete files and folders whose names do not identify the writer.
 *
 * @param state the engine's folder of states, if it is on this machine
 */
export async function halfWritten(
  { env, home, stack: { root, name } }: LeftoverContext,
  project: string,
  servers: readonly KnownServer[],
  state?: string,
): Promise<StackLeftover[]> {
  const matching = (folder: string, pattern: RegExp): Place => ({ folder, isOne: (name) => pattern.test(name) });
  const cache = cacheFolder(env);
  const compileCache = compileCacheFolder(env);
  const versions = (await unlessAbsent(readdir(compileCache))) ?? [];
  const places = [
    matching(join(home, "postgresql"), binaries),
    matching(join(root, ".pgroundwork"), inOwnFolder),
    matching(root, inProject),
    ...servers.map(({ folder }) => matching(folder, serverRecord)),
    ...servers.map(({ dataDirectory }) => matching(dataDirectory, serverSettings)),
    ...[cache, join(cache, "verdicts"), join(cache, "plugin-downloads")].map((each) => matching(each, inCache)),
    ...versions.map((version) => matching(join(compileCache, version), compiled)),
    ...(state === undefined ? [] : statePlaces(state, project, name)),
  ];
  return (await Promise.all(places.map(leftoversIn))).flat();
}

/** Returns the folders of a stack's state, its history and its backups. */
function statePlaces(state: string, project: string, stack: string): Place[] {
  const mayBeWritten = async () => isInUse(await engineLocks(state, project, stack));
  const isOne = (name: string) => name.startsWith(`${stack}.json.`) && name.endsWith(".tmp");
  const isAny = (name: string) => name.endsWith(".tmp");
  return [
    { folder: join(state, "stacks", project), isOne, mayBeWritten },
    { folder: join(state, "history", project, stack), isOne: isAny, mayBeWritten },
    { folder: join(state, "backups", project, stack), isOne: isAny, mayBeWritten },
    { folder: state, isOne: isAny },
  ];
}

async function leftoversIn(place: Place): Promise<StackLeftover[]> {
  return (await leftIn(place)).map((path) => ({
    kind: "files",
    found: `a file or folder is incomplete: ${path}`,
    action: "delete it",
    act: async () => {
      // Checked again, because the writer may have locked the stack or continued in the meantime.
      const isLeftStill = await isLeft(place, path);
      if (isLeftStill) await rm(path, { recursive: true, force: true });
      return isLeftStill;
    },
  }));
}

async function leftIn(place: Place): Promise<string[]> {
  const { folder, isOne } = place;
  const names = (await unlessAbsent(readdir(folder), leadsNowhere)) ?? [];
  const paths = names.filter(isOne).map((name) => join(folder, name));
  const left = await Promise.all(paths.map((path) => isLeft(place, path)));
  return paths.filter((_, index) => left[index]);
}

async function isLeft({ mayBeWritten }: Place, path: string): Promise<boolean> {
  if (mayBeWritten !== undefined) return !(await mayBeWritten());
  return ((await ageOf(path)) ?? 0) > writtenWithin;
}

/** Returns the age of a file in ms. Returns undefined if it is gone. */
async function ageOf(path: string): Promise<number | undefined> {
  const now = Date.now();
  return unlessAbsent(stat(path).then(({ mtimeMs }) => now - mtimeMs));
}
