import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { unlessAbsent } from "../../../scripts/files/absent.ts";

/** What a build is given, in the order in which it is hashed. */
export interface BuildContext {
  folder: string;
  /** The Dockerfile, relative to the folder. */
  dockerfile: string;
  /** Files and links, relative to the folder, without what .dockerignore leaves out. */
  files: readonly string[];
  /** Folders, outer ones first: an archive of files alone would lose empty ones, and the modes of all. */
  folders: readonly string[];
}

/** Reads what a build's context holds; what is read differs from what is sent in nothing. */
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
        // What is in an ignored folder can be excepted.
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
 * A digest over names, modes and contents: the Dockerfile first, then every file in order, each as its path, its mode as Go writes it and the sha256 of its
 * content (of a link: of where it leads), with a zero byte behind it.
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
  // A CommonJS module, whose declarations tell of a default export of its own.
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

/** `-rw-r--r--`, and `Lrwxrwxrwx` for a link. */
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
