import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { leadsNowhere, unlessAbsent } from "../../core/absent.ts";
import { leftTemporaries, removeIfLeft, removeLeftTemporaries } from "../../core/temporary.ts";
import { cacheFolder } from "../../pulumi/cache-folder.mjs";
import { claimsFolder } from "../docker-claim.ts";
import { projectName } from "../project.ts";
import { halfWritten } from "./half-written.ts";
import type { LeftoverContext, StackLeftover } from "./leftover.ts";
import { allServers, isOwn, type KnownServer } from "./own-servers.ts";

/** Finds temporary files and folders of processes that are gone, in all folders that the kit writes to. */
export async function temporaries(context: LeftoverContext, servers: readonly KnownServer[]): Promise<StackLeftover[]> {
  return (await leftIn(context, servers)).map((path) => ({
    kind: "files",
    found: `a file or folder is incomplete, and the process that wrote it is gone: ${path}`,
    action: "delete it",
    act: () => removeIfLeft(path),
  }));
}

/**
 * Removes the files that {@link temporaries} finds, and old files of unknown writers. Files that cannot be removed are
 * left without an error; `recover` reports them.
 */
export async function removeTemporaries(context: LeftoverContext): Promise<void> {
  const project = await projectName(context.stack.root);
  const servers = (await allServers(context.home)).filter((server) => isOwn(context, project, server));
  const removed = (await foldersOf(context, servers)).map((folder) => removeLeftTemporaries(folder));
  await Promise.allSettled(removed);
  // The engine's own temporaries are left to `recover`, which checks the engine's locks.
  const others = await halfWritten(context, project, servers).catch(() => []);
  await Promise.allSettled(others.map(({ act }) => act?.()));
}

async function leftIn(context: LeftoverContext, servers: readonly KnownServer[]): Promise<string[]> {
  const folders = new Set(await foldersOf(context, servers));
  return (await Promise.all([...folders].map(leftTemporaries))).flat().sort();
}

async function foldersOf(
  { env, stack: { root }, home }: LeftoverContext,
  servers: readonly KnownServer[],
): Promise<string[]> {
  const own = join(root, ".pgroundwork");
  const plugins = join(own, "home", "plugins");
  const databases = join(root, "migrations");
  const cache = cacheFolder(env);
  return [
    ...[root, own, join(own, "images"), plugins, ...(await foldersIn(plugins))],
    ...(await foldersIn(databases)).flatMap((folder) => [folder, join(folder, "committed")]),
    ...[cache, join(cache, "verdicts"), join(cache, "plugin-downloads")],
    join(home, "postgresql"),
    join(home, claimsFolder),
    ...servers.flatMap(({ folder, dataDirectory }) => [folder, dataDirectory, dirname(dataDirectory)]),
    tmpdir(),
  ];
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = (await unlessAbsent(readdir(folder, { withFileTypes: true }), leadsNowhere)) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}
