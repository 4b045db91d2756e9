import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
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

/**
 * Copies a folder of infra/images, so that every checkout builds the same image. The digest of a build context includes
 * file modes, which depend on the umask of the checkout. Copied files get 0755 if their owner may execute them, and
 * 0644 otherwise. The copy is named after the digest of its contents.
 *
 * @returns the copy's path, relative to the program's folder
 */
export function stageBuildContext(folder: string, { images, staging } = ownFolders): string {
  if (staging === ownFolders.staging) ignoreOwnFolder(projectFolder());
  const entries = entriesIn(join(images, folder));
  const name = `${folder}-${digestOf(entries)}`;
  const copy = join(staging, name);
  if (!isWhole(copy, entries)) writeCopy(copy, entries);
  const now = new Date();
  utimesSync(copy, now, now);
  removeUnused(staging, folder, name);
  return `${relativeStaging}/${name}`;
}

/** Lists everything below a folder, with the mode that its copy gets. */
function entriesIn(root: string, path = ""): Entry[] {
  const names = readdirSync(join(root, path)).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return names.flatMap((name): Entry[] => {
    const child = path === "" ? name : `${path}/${name}`;
    const stat = lstatSync(join(root, child));
    if (stat.isDirectory()) return [{ path: child, mode: 0o755 }, ...entriesIn(root, child)];
    if (stat.isSymbolicLink()) return [{ path: child, mode: 0o777, target: readlinkSync(join(root, child)) }];
    if (!stat.isFile()) return [];
    return [{ path: child, mode: stat.mode & 0o100 ? 0o755 : 0o644, content: readFileSync(join(root, child)) }];
  });
}

function digestOf(entries: readonly Entry[]): string {
  const hash = createHash("sha256");
  for (const { path, mode, content, target } of entries) {
    const inner = createHash("sha256")
      .update(content ?? target ?? "")
      .digest("hex");
    hash.update(`${path}\0${mode}\0${inner}\0`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Returns true if a copy exists and is unchanged. A person or a tool may have changed it since it was written. */
function isWhole(copy: string, entries: readonly Entry[]): boolean {
  try {
    const modes = entries.every(
      ({ path, mode, target }) => target !== undefined || (lstatSync(join(copy, path)).mode & 0o777) === mode,
    );
    return modes && digestOf(entriesIn(copy)) === digestOf(entries);
  } catch {
    return false;
  }
}

/** Writes to a temporary path first, since another run may be reading the existing copy. */
function writeCopy(copy: string, entries: readonly Entry[]): void {
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
    rmSync(copy, { recursive: true, force: true });
    renameSync(temporary, copy);
  } catch (error) {
    // Ignored if another run wrote the same contents first.
    if (!isWhole(copy, entries)) throw error;
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
