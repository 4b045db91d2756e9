import { randomUUID } from "node:crypto";
import { access, link, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unlessAbsent } from "../core/absent.ts";
import { type Binaries, installBinaries } from "../server/binaries.ts";

/** The server's programs for scratch clusters. */
export interface ScratchBinaries extends Binaries {
  /** Extensions that only a superuser can create. */
  untrusted: string[];
}

/** Extensions with access beyond the cluster. A trial on this machine must not have them. */
const reachingOut = /^(dblink|postgres_fdw|plperlu|plpython3u|pltclu|.*_plperlu|.*_plpython3u)$/;

/** Returns true if an extension gives SQL access to other servers, files or programs. */
export function reachesOut(extension: string): boolean {
  return reachingOut.test(extension);
}

/**
 * Installs the embedded binaries a second time, beside those of servers, with contrib extensions marked as trusted. In
 * a scratch cluster no SQL runs as a superuser, even if it does on the live server. Files are hard links, so the copy
 * takes no space.
 */
export async function installScratchBinaries(home: string): Promise<ScratchBinaries> {
  const { version, postgres } = await installBinaries(home);
  const source = dirname(dirname(postgres));
  const target = `${source}-scratch`;
  if ((await unlessAbsent(access(join(target, "bin", "postgres")).then(() => true))) !== true)
    await install(source, target);
  return {
    version,
    initdb: join(target, "bin", "initdb"),
    pgCtl: join(target, "bin", "pg_ctl"),
    postgres: join(target, "bin", "postgres"),
    libraries: join(target, "lib", "postgresql"),
    untrusted: await untrustedExtensions(join(source, "share", "postgresql", "extension")),
  };
}

async function install(source: string, target: string): Promise<void> {
  const staging = `${target}.${randomUUID()}`;
  try {
    await linkTree(source, staging);
    const folder = join(staging, "share", "postgresql", "extension");
    for (const name of await untrustedExtensions(folder)) {
      const file = join(folder, `${name}.control`);
      const text = await readFile(file, "utf8");
      // A new file, because writing to the link would change the file of the servers.
      await rm(file);
      if (!reachesOut(name)) await writeFile(file, `${text.trimEnd()}\ntrusted = true\n`, { mode: 0o644 });
    }
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    // Another process has just installed it.
    if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

async function linkTree(source: string, target: string): Promise<void> {
  await mkdir(target, { mode: 0o755 });
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) await linkTree(from, to);
    else if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
    else await link(from, to);
  }
}

async function untrustedExtensions(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const file of await readdir(folder)) {
    if (!file.endsWith(".control")) continue;
    if (!/^\s*trusted\s*=\s*true/m.test(await readFile(join(folder, file), "utf8")))
      names.push(file.slice(0, -".control".length));
  }
  return names;
}
