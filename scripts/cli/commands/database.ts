import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Connection } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { databaseFolder } from "../../databases/database-file.ts";
import { localStack } from "../../stack/stacks.ts";
import { action, type CommandContext } from "../context.ts";
import { jsonOption, stackOption } from "../options.ts";
import { refuseInCopy } from "../refuse-in-copy.ts";
import { outputsOf } from "../stack.ts";

interface NewOptions {
  settings: boolean;
  idempotency?: boolean;
}

interface RenameOptions {
  onServer?: boolean;
  stack?: string;
}

export function registerDatabase(program: Command): void {
  const database = program.command("database").description("manage the databases of this project");
  database
    .command("new <name>")
    .description("create a working folder for a new database, and add the database to the local stack's settings")
    .option(
      "--idempotency",
      "with a table of idempotency keys as the first migration, and functions that run a change once for each key",
    )
    .option("--no-settings", "do not change the settings")
    .addOption(jsonOption())
    .action(action<NewOptions, [string]>(create));
  database
    .command("rename <name> <new-name>")
    .description(
      "rename a database: first its folder and its name in all settings, then with --on-server on each server",
    )
    .option("--on-server", "rename the database and its roles on a stack's server; keeps all rows and changes no files")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(action<RenameOptions, [string, string]>(rename));
  database
    .command("remove <name...>")
    .description("remove databases from this project: folders, tests and settings; servers keep their databases")
    .addOption(jsonOption())
    .action(action<object, [string[]]>(remove));
}

async function create(
  context: CommandContext,
  { settings, idempotency = false }: NewOptions,
  name: string,
): Promise<undefined> {
  const { newDatabase } = await import("../../databases/new-database.ts");
  const { declareDatabase, requireEditableSettings } = await import("../../stack/databases-setting.ts");
  if (settings) await requireEditableSettings(context.root);
  const { idempotencyFiles } = await import("../../migrate/authoring/idempotency-keys.ts");
  const more = idempotency ? await idempotencyFiles() : {};
  const files = await newDatabase(join(context.root, "migrations"), name, join(context.root, ".pgroundwork"), more);
  const declared = settings ? await declareDatabase(context.root, name) : undefined;
  context.out.answer({ database: name, files: files.map((file) => `migrations/${name}/${file}`), declared }, () =>
    [
      `created migrations/${name}: ${files.join(", ")}`,
      declared === undefined
        ? `Not in the settings yet: add ${name} to pgroundwork:databases.`
        : declared.files
            .map(
              (file) => `${file} ${declared.changed.includes(file) ? "now has" : "already had"} it in its databases.`,
            )
            .join("\n"),
      "",
      "next",
      "  npm run up                             create the empty database and its roles",
      `  npm run pgw -- psql -d ${name}${" ".repeat(Math.max(1, 16 - name.length))}open psql as its application role`,
      "  migrations/README.md                   how to write and commit its first migration",
    ].join("\n"),
  );
  return undefined;
}

async function rename(
  context: CommandContext,
  { onServer = false, stack }: RenameOptions,
  from: string,
  to: string,
): Promise<undefined> {
  if (onServer) return renameOnStack(context, stack ?? localStack, from, to);
  const { filesWithOldName, renameDatabaseFolder, requireRenamable } = await import(
    "../../databases/rename-database.ts"
  );
  const { redeclareDatabase, requireEditableSettings } = await import("../../stack/databases-setting.ts");
  const migrations = join(context.root, "migrations");
  const isHalfDone = existsSync(databaseFolder(migrations, to)) && (await isOnlyInSettings(context.root, from));
  if (!isHalfDone) {
    await requireRenamable(migrations, from, to);
    await requireEditableSettings(context.root);
    await requireNoSnapshotsIfUp(context, stack ?? localStack, from);
    await renameDatabaseFolder(migrations, from, to);
  }
  const settings = await redeclareDatabase(context.root, from, to);
  const edit = await filesWithOldName(context.root, from, to);
  context.out.answer({ from, to, settings, edit }, () =>
    [
      `renamed migrations/${from} to migrations/${to}${settings.length > 0 ? `, also in ${settings.join(", ")}` : ""}.`,
      ...(edit.length > 0
        ? ["These files still contain the old name; edit them by hand:", ...edit.map((file) => `  ${file}`)]
        : []),
      "",
      `next, before \`up\`, for each stack whose server has ${from} (otherwise \`up\` creates an empty ${to}):`,
      `  npm run pgw -- database rename ${from} ${to} --on-server`,
      `  npm run pgw -- database rename ${from} ${to} --on-server --stack NAME`,
    ].join("\n"),
  );
  return undefined;
}

/** Returns true if a killed command has renamed or removed a database's folder, and not its name in the settings. */
async function isOnlyInSettings(root: string, database: string): Promise<boolean> {
  const { declaresDatabase } = await import("../../stack/databases-setting.ts");
  return !existsSync(databaseFolder(join(root, "migrations"), database)) && (await declaresDatabase(root, database));
}

async function renameOnStack(context: CommandContext, stack: string, from: string, to: string): Promise<undefined> {
  const { serverConnection } = await import("../../stack/outputs.ts");
  const { renameOnServer } = await import("../../databases/rename-database.ts");
  await requireDeclaredName(context, stack, from, to);
  await refuseInCopy(context, stack);
  const outputs = await outputsOf(context, stack, true);
  await requireNoSnapshots(serverConnection(outputs), stack, from);
  const { underLock } = await import("./destroy/destroy-by-engine.ts");
  // An `up` that runs meanwhile would create the old database again.
  await underLock(context, stack, () => renameOnServer(serverConnection(outputs), from, to));
  const option = stack === localStack ? "" : ` -- --stack ${stack}`;
  context.out.answer({ stack, from, to }, () =>
    [
      `renamed ${from} of stack ${stack} to ${to}, with its roles and all data.`,
      "",
      "next",
      `  npm run up${option}     adopt it; its roles get new passwords`,
    ].join("\n"),
  );
  return undefined;
}

/**
 * Requires the same of a stack before its files are changed, so that no rename is begun that the server refuses later.
 * Warns if the server cannot be asked. A stack that was never up has no snapshots.
 *
 * @throws OperationError (not allowed)
 */
async function requireNoSnapshotsIfUp(context: CommandContext, stack: string, database: string): Promise<void> {
  const { stateFile } = await import("../../stack/state-file.ts");
  const { declaredStateFolder } = await import("../../stack/state-folder.ts");
  const { serverConnection } = await import("../../stack/outputs.ts");
  const isLocal = declaredStateFolder(context.root, stack, context.env) !== undefined;
  if (isLocal && stateFile(context.root, stack, context.env) === undefined) return;
  try {
    await requireNoSnapshots(serverConnection(await outputsOf(context, stack, true)), stack, database);
  } catch (error) {
    if (!(error instanceof OperationError) || error.exitCode === exitCode.notAllowed) throw error;
    context.out.warn(`It is not known if stack "${stack}" has snapshots of ${database}: ${error.message}`);
  }
}

/**
 * Requires that a database has no snapshots and branches. They are found by the name of their database.
 *
 * @throws OperationError (not allowed)
 */
async function requireNoSnapshots(maintenance: Connection, stack: string, database: string): Promise<void> {
  const { listSnapshots } = await import("../../backup/snapshot/snapshots.ts");
  const names = (await listSnapshots({ maintenance, database })).map(({ name }) => name);
  if (names.length === 0) return;
  const option = stack === localStack ? "" : ` --stack ${stack}`;
  const lines = names.map((name) => `  npm run pgw -- snapshot drop ${name} -d ${database}${option}`);
  throw new OperationError(
    `"${database}" has snapshots or branches, which would not be found under another name: ${names.join(", ")}. Nothing was changed.`,
    { hint: ["Drop them first:", ...lines].join("\n  "), exitCode: exitCode.notAllowed },
  );
}

/**
 * Requires that a stack's settings have the new name. With the old one, `up` would create an empty database again.
 *
 * @throws OperationError (not allowed)
 */
async function requireDeclaredName({ root }: CommandContext, stack: string, from: string, to: string): Promise<void> {
  const { requireDatabaseName } = await import("../../databases/new-database.ts");
  const { declaredSettings } = await import("../../stack/declared-settings.ts");
  requireDatabaseName(to);
  const { databases } = await declaredSettings(root, stack);
  if (databases.includes(to)) return;
  throw new OperationError(`The settings of stack "${stack}" do not have the database "${to}". Nothing was changed.`, {
    hint: `Rename the folder and its name in the settings first: npm run pgw -- database rename ${from} ${to}`,
    exitCode: exitCode.notAllowed,
  });
}

async function remove(context: CommandContext, _options: object, given: string[]): Promise<undefined> {
  const databases = [...new Set(given)];
  const { removeDatabase } = await import("../../databases/remove-database.ts");
  const { listDatabases, readDatabaseFile } = await import("../../databases/database-file.ts");
  const { requireEditableSettings, undeclareDatabases } = await import("../../stack/databases-setting.ts");
  const migrations = join(context.root, "migrations");
  const setsOf: Record<string, string[]> = {};
  // All of them are read before the first one is removed.
  const halfRemoved = new Set<string>();
  for (const database of databases) {
    if (await isOnlyInSettings(context.root, database)) halfRemoved.add(database);
    else setsOf[database] = (await readDatabaseFile(migrations, database)).seedSets;
  }
  await requireEditableSettings(context.root);
  const candidates = Object.values(setsOf).flat();
  // If a database file cannot be read, its sets are unknown. Then no candidate set is dropped.
  for (const database of await listDatabases(migrations))
    setsOf[database] ??= await readDatabaseFile(migrations, database).then(
      ({ seedSets }) => seedSets,
      () => candidates,
    );
  const removals: { database: string; removed: string[]; kept: string[]; settings: string[]; notes: string[] }[] = [];
  for (const database of databases) {
    const files = halfRemoved.has(database) ? { removed: [], kept: [] } : await removeDatabase(context.root, database);
    const { [database]: sets = [], ...others } = setsOf;
    delete setsOf[database];
    const { changed, notes } = await undeclareDatabases(context.root, { [database]: sets }, others);
    removals.push({ database, ...files, settings: changed, notes });
  }
  context.out.answer({ removals }, () =>
    removals
      .flatMap(({ database, removed, kept, settings, notes }) => [
        `removed ${database}: ${[...removed, ...settings.map((file) => `its name in ${file}`)].join(", ")}`,
        ...kept.map((path) => `  ${path} is kept: it contains files that are not in Git`),
        ...notes.map((note) => `  ${note}`),
      ])
      .concat("The databases on servers are kept with all data. To delete one: `pgw destroy --erase NAME`")
      .join("\n"),
  );
  return undefined;
}
