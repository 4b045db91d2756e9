import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { ignoreOwnFolder, isInstalled, kitFolder, projectFolder } from "../../scripts/core/kit-folder.ts";
import { temporaryFor } from "../../scripts/core/temporary.ts";

/** The folder of the build contexts, and the folder for their copies. */
export interface ContextFolders {
  images: string;
  staging: string;
}

const ownFolders: ContextFolders = {
  images: join(kitFolder, "infra", "images"),
  staging: join(projectFolder(), ".pgroundwork", "images"),
};

/**
 * The staging folder, relative to the folder in which program and plugins run. The path is the same in every project
 * directory.
 */
const relativeStaging = isInstalled ? relative(process.cwd(), ownFolders.staging) : "../.pgroundwork/images";

/** Copies that no run has used for this long are deleted, in ms. */
const unusedAfterMs = 24 * 60 * 60_000;

interface Entry {
  path: string;
  mode: number;
  /** Undefined for a folder. */
  content?: Buffer;
  /** Target of a symbolic link. */
  target?: string;
}

/** A file that is no part of the folder. Only the size of its copy is compared, because it can be large. */
interface AddedFile {
  path: string;
  mode: number;
  /** Absolute path. */
  source: string;
}

/**
 * Copies a folder of infra/images, so that every checkout builds the same image. The digest of a build context includes
 * file modes, which depend on the umask of the checkout. Copied files get 0755 if their owner may execute them, and
 * 0644 otherwise. The copy is named after the digest of its contents.
 *
 * @param more files to add: the absolute path of each by its path in the context, in a folder that the context has
 * @returns the copy's path, relative to the program's folder
 */
export function stageBuildContext(
  folder: string,
  { images, staging } = ownFolders,
  more: Readonly<Record<string, string>> = {},
): string {
  if (staging === ownFolders.staging) ignoreOwnFolder(projectFolder());
  const entries = entriesIn(join(images, folder));
  const added = Object.entries(more).map(([path, source]) => ({ path, source, mode: modeOf(lstatSync(source).mode) }));
  const name = `${folder}-${digestOf(entries, added)}`;
  const copy = join(staging, name);
  if (!isWhole(copy, entries, added)) writeCopy(copy, entries, added);
  const now = new Date();
  utimesSync(copy, now, now);
  removeUnused(staging, folder, name);
  return `${relativeStaging}/${name}`;
}

/**
 * Lists everything below a folder, with the mode that its copy gets.
 *
 * @param without paths that are left out
 */
function entriesIn(root: string, path = "", without: readonly string[] = []): Entry[] {
  const names = readdirSync(join(root, path)).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return names.flatMap((name): Entry[] => {
    const child = path === "" ? name : `${path}/${name}`;
    if (without.includes(child)) return [];
    const stat = lstatSync(join(root, child));
    if (stat.isDirectory()) return [{ path: child, mode: 0o755 }, ...entriesIn(root, child, without)];
    if (stat.isSymbolicLink()) return [{ path: child, mode: 0o777, target: readlinkSync(join(root, child)) }];
    if (!stat.isFile()) return [];
    return [{ path: child, mode: modeOf(stat.mode), content: readFileSync(join(root, child)) }];
  });
}

function modeOf(mode: number): number {
  return mode & 0o100 ? 0o755 : 0o644;
}

function digestOf(entries: readonly Entry[], added: readonly AddedFile[] = []): string {
  const hash = createHash("sha256");
  const more = added.map(({ source, ...each }) => ({ ...each, content: sampleOf(source), target: undefined }));
  for (const { path, mode, content, target } of [...entries, ...more]) {
    const inner = createHash("sha256")
      .update(content ?? target ?? "")
      .digest("hex");
    hash.update(`${path}\0${mode}\0${inner}\0`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Largest file in bytes that is hashed as a whole, and bytes of a larger one that are hashed at both of its ends. */
const [wholeBytes, sampleBytes] = [16 * 2 ** 20, 2 ** 20];

/** Returns a file's content, or of a large one its size and both ends: hashing 120 MB takes half a second. */
function sampleOf(path: string): Buffer {
  const { size } = lstatSync(path);
  if (size <= wholeBytes) return readFileSync(path);
  const file = openSync(path, "r");
  try {
    const sample = Buffer.alloc(2 * sampleBytes);
    readSync(file, sample, 0, sampleBytes, 0);
    readSync(file, sample, sampleBytes, sampleBytes, size - sampleBytes);
    return Buffer.concat([Buffer.from(`${size} `), sample]);
  } finally {
    closeSync(file);
  }
}

/** Returns true if a copy exists and is unchanged. A person or a tool may have changed it since it was written. */
function isWhole(copy: string, entries: readonly Entry[], added: readonly AddedFile[]): boolean {
  try {
    const modes = entries.every(
      ({ path, mode, target }) => target !== undefined || (lstatSync(join(copy, path)).mode & 0o777) === mode,
    );
    const isSame = ({ path, mode, source }: AddedFile) => {
      const stat = lstatSync(join(copy, path));
      return (stat.mode & 0o777) === mode && stat.size === lstatSync(source).size;
    };
    const own = entriesIn(
      copy,
      "",
      added.map(({ path }) => path),
    );
    return modes && added.every(isSame) && digestOf(own) === digestOf(entries);
  } catch {
    return false;
  }
}

/** Writes to a temporary path first, since another run may be reading the existing copy. */
function writeCopy(copy: string, entries: readonly Entry[], added: readonly AddedFile[]): void {
  const temporary = temporaryFor(copy);
  mkdirSync(temporary, { recursive: true });
  try {
    for (const { path, mode, content, target } of entries) {
      const place = join(temporary, path);
      if (target !== undefined) symlinkSync(target, place);
      else {
        if (content === undefined) mkdirSync(place);
        else writeFileSync(place, content);
        // Sets the mode regardless of the umask.
        chmodSync(place, mode);
      }
    }
    for (const { path, mode, source } of added) {
      copyFileSync(source, join(temporary, path));
      chmodSync(join(temporary, path), mode);
    }
    rmSync(copy, { recursive: true, force: true });
    renameSync(temporary, copy);
  } catch (error) {
    // Ignored if another run wrote the same contents first.
    if (!isWhole(copy, entries, added)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Deletes unused copies of earlier contents, and partial copies of killed runs. */
function removeUnused(staging: string, folder: string, used: string): void {
  for (const name of readdirSync(staging)) {
    const isFormer = name !== used && new RegExp(`^${folder}-[0-9a-f]{16}(\\.|$)`).test(name);
    if (isFormer && Date.now() - lstatSync(join(staging, name)).mtimeMs > unusedAfterMs)
      rmSync(join(staging, name), { recursive: true, force: true });
  }
}
