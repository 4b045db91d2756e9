import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { unlessAbsent } from "../../../scripts/core/absent.ts";

/** Contents of a build, in the order in which they are hashed. */
export interface BuildContext {
  folder: string;
  /** The Dockerfile, relative to the folder. */
  dockerfile: string;
  /** Files and links, relative to the folder, except those that .dockerignore excludes. */
  files: readonly string[];
  /** Folders, outer ones first. An archive with only files would lose empty folders and all folder modes. */
  folders: readonly string[];
}

/** Lists the contents of a build context. The digest and the archive are both made from this list. */
export async function readContext(folder: string, dockerfile: string): Promise<BuildContext> {
  const isSent = await ignoreFilter(folder, dockerfile);
  const files: string[] = [];
  const folders: string[] = [];
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(join(folder, path), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))) {
      const child = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        if (isSent(child)) folders.push(child);
        // Contents of an ignored folder can be excluded from ignoring.
        await walk(child);
      } else if ((entry.isFile() || entry.isSymbolicLink()) && (child === dockerfile || isSent(child))) {
        files.push(child);
      }
    }
  };
  await walk("");
  return { folder, dockerfile, files, folders };
}

/**
 * Returns a digest of names, modes and contents. The Dockerfile comes first, then every file in order. Each contributes
 * its path, its mode as Go writes it, the sha256 of its content (for a link, of its target), and a zero byte.
 */
export async function contextDigest({ folder, dockerfile, files }: BuildContext): Promise<string> {
  const whole = createHash("sha256");
  const add = async (path: string, mode: string, isLink: boolean) => {
    whole
      .update(path)
      .update(mode)
      .update(await digestOf(join(folder, path), isLink))
      .update(Buffer.of(0));
  };
  await add(dockerfile, goMode(0), false);
  for (const path of files) {
    const { mode } = await lstat(join(folder, path));
    await add(path, goMode(mode), isLink(mode));
  }
  return whole.digest("hex");
}

async function ignoreFilter(folder: string, dockerfile: string): Promise<(path: string) => boolean> {
  const patterns =
    (await textOf(join(folder, `${dockerfile}.dockerignore`))) ?? (await textOf(join(folder, ".dockerignore")));
  if (patterns === undefined) return () => true;
  // A CommonJS module whose type declarations have an additional default export.
  const { default: dockerIgnore } = (await import("@balena/dockerignore")).default;
  return dockerIgnore({ ignorecase: false }).add(patterns).createFilter();
}

function textOf(path: string): Promise<string | undefined> {
  return unlessAbsent(readFile(path, "utf8"));
}

async function digestOf(path: string, isLink: boolean): Promise<Buffer> {
  const hash = createHash("sha256");
  if (isLink) hash.update(await readlink(path));
  else await pipeline(createReadStream(path), hash);
  return hash.digest();
}

const typeMask = 0o170000;
const linkType = 0o120000;

function isLink(mode: number): boolean {
  return (mode & typeMask) === linkType;
}

/** Formats a mode as Go does: `-rw-r--r--`, and `Lrwxrwxrwx` for a link. */
function goMode(mode: number): string {
  const bits = [
    isLink(mode) ? "L" : "",
    mode & 0o4000 ? "u" : "",
    mode & 0o2000 ? "g" : "",
    mode & 0o1000 ? "t" : "",
  ].join("");
  const letters = "rwxrwxrwx";
  const rights = [...letters].map((letter, index) => (mode & (1 << (letters.length - 1 - index)) ? letter : "-"));
  return (bits || "-") + rights.join("");
}
