import { basename, posix } from "node:path";
import { readSource } from "../../core/file-source.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { decodeUtf8 } from "../../core/utf8.ts";
import { type BundledFile, bundledFile, bundleFormat, type MigrationBundle } from "../bundle.ts";
import { committedFile, listCommitted, readCommitted } from "../committed.ts";
import { isDownName } from "../committed-names.ts";
import { gmrc, type Hook, type HookName, type PortableSettings, readPortableSettings } from "../graphile-migrate.ts";
import { readHookFile } from "../hooks.ts";
import { pendingMigrations, requireNoProblems } from "../verify.ts";

/** Hooks that run when migrations are applied. */
const appliedHooks: readonly HookName[] = ["afterReset", "beforeAllMigrations", "afterAllMigrations"];

/**
 * Bundles what applying a folder's migrations needs: the committed files, their down migrations, the settings of
 * `.gmrc` and the SQL files of its hooks. Equal files give an equal bundle.
 *
 * @throws OperationError for files that do not follow the format or whose order is broken, for bytes that are not
 * UTF-8, and for hooks that run a command
 */
export async function bundleMigrations(folder: string): Promise<MigrationBundle> {
  const committed = await readCommitted(folder);
  if (committed.length === 0)
    throw new OperationError(`${folder} has no committed migrations.`, { exitCode: exitCode.usage });
  await requireRunnableOrder(folder);
  const downs = (await listCommitted(folder)).map(({ name }) => name).filter(isDownName);
  const names = [...committed.map(({ filename }) => filename), ...downs].sort();
  const files = names.map((name) => fileEntry(folder, committedFile(name)));
  const settings = await readPortableSettings(folder);
  if (settings !== undefined) files.push(...settingsEntries(folder, settings));
  return { format: bundleFormat, database: basename(folder), files: Object.fromEntries(files) };
}

/** Returns a bundle as an ES module, which is also valid TypeScript. */
export function bundleModule(bundle: MigrationBundle): string {
  return [
    `// The migrations of the database "${bundle.database}". Written by \`pgw migrate bundle\`: do not edit it.`,
    '/** @type {import("pgroundwork").MigrationBundle} */',
    `export default ${JSON.stringify(bundle, null, 2)};`,
    "",
  ].join("\n");
}

/** Refuses what no database accepts. Whether an applied file could run again does not matter. */
async function requireRunnableOrder(folder: string): Promise<void> {
  const status = await pendingMigrations(undefined, folder);
  if (status.known) requireNoProblems(status.problems.filter(({ kind }) => kind !== "unusable"));
}

type Entry = [file: string, content: BundledFile];

function fileEntry(folder: string, file: string): Entry {
  const content = readSource(folder, file);
  if (content === undefined) throw new OperationError(`${file} in ${folder} was removed during this run.`);
  return [file, textOf(file, content)];
}

function settingsEntries(folder: string, { file: place, settings, hooks }: PortableSettings): Entry[] {
  const applied = appliedHooks.map((name) => [name, hooks[name].filter(({ shadow }) => shadow !== true)] as const);
  const commands = applied.flatMap(([name, list]) => list.flatMap((hook) => commandFault(name, hook)));
  if (commands.length > 0) {
    throw new OperationError([`${place} has hooks that a bundle cannot contain:`, ...commands].join("\n"), {
      hint: "Write the hook as an SQL file, or add `shadow: true` to a command that only development needs.",
      exitCode: exitCode.usage,
    });
  }
  const content = Buffer.from(JSON.stringify({ ...settings, ...Object.fromEntries(applied) }, null, 2));
  const sql = applied.flatMap(([name, list]) =>
    list.flatMap((hook): Entry[] =>
      hook._ === "sql" ? [[posix.normalize(hook.file), textOf(hook.file, readHookFile(name, hook.file, folder))]] : [],
    ),
  );
  return [[gmrc, bundledFile(content)], ...sql];
}

function commandFault(name: HookName, hook: Hook): string[] {
  return hook._ === "command" ? [`- ${name} runs the command "${hook.command}"`] : [];
}

function textOf(file: string, content: Buffer): BundledFile {
  const { fault } = decodeUtf8(content);
  if (fault === undefined) return bundledFile(content);
  throw new OperationError(`${file} cannot be bundled: ${fault}`, { exitCode: exitCode.wrong });
}
