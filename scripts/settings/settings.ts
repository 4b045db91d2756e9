import type { z } from "zod";
import { OperationError } from "../core/operation-error.ts";
import { findMisplaced, namespace, type TopLevelKeys } from "../model/misplaced-setting.ts";
import { isInventedSeed, isRealStack } from "../model/real-data.ts";
import { type BackupPlan, writtenSecret } from "./backups-section.ts";
import { durabilityRisks } from "./durability.ts";
import { type Fault, faultsOf } from "./fault.ts";
import { type DeclaresJobs, jobFaults } from "./jobs.ts";
import { commonShape, type ServerKind, type SettingsOf, serverKinds, serverShape, serverShapes } from "./schema.ts";
import { type SettingText, textOf } from "./setting.ts";
import { suggestion } from "./suggestion.ts";

/**
 * One stack's validated settings. `server` distinguishes the kinds of server, each of which adds its own settings to
 * the common ones.
 */
export type Settings = { [Kind in ServerKind]: SettingsOf<Kind> & { protected: boolean } }[ServerKind];

/** Databases and seed sets to choose from, read from `migrations/` before the settings are parsed. */
export interface Known {
  /** Databases that have a folder, with the seed sets, extensions and jobs of each. */
  databases: Readonly<Record<string, { seedSets: readonly string[] } & DeclaresJobs>>;
  /** Name of the stack, for messages. */
  stack: string;
  /** Returns true if Pulumi's configuration has a key as a secret, or with one in it. Default: nothing is checked. */
  isSecret?: (key: string) => boolean;
  /** Keys at the top level of the settings files, where settings have no effect. Default: none. */
  topLevel?: TopLevelKeys;
}

/** One row of the settings' reference. */
export interface SettingReference extends SettingText {
  name: string;
  /** Kinds of server that have the setting. */
  servers: readonly ServerKind[];
}

/** All settings. A setting that several kinds of server have appears once, with one text. */
const everyShape: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  [serverShape, ...Object.values(serverShapes), commonShape].flatMap(entriesOf),
);

function entriesOf(shape: object): [string, z.ZodType][] {
  return Object.entries(shape);
}

/** Returns the settings of a kind of server, including the common ones. Returns all settings if the kind is invalid. */
function shapeOf(kind: unknown): Readonly<Record<string, z.ZodType>> {
  const known = serverKinds.find((each) => each === kind);
  if (known === undefined) return everyShape;
  return Object.fromEntries([serverShape, serverShapes[known], commonShape].flatMap(entriesOf));
}

/**
 * Parses a stack's configuration into one typed value.
 *
 * @param config Pulumi's own map, `pulumi.runtime.allConfig()`: full keys (`pgroundwork:port`), scalars as text,
 * objects and lists as JSON
 * @throws OperationError that lists every wrong setting at once, with the value, what is expected, and where to set it
 */
export function parseSettings(config: Readonly<Record<string, string>>, known: Known): Settings {
  const written = new Map<string, string>();
  for (const [key, value] of Object.entries(config)) {
    if (key.startsWith(namespace)) written.set(key.slice(namespace.length), value);
  }

  const kind = serverShape.server.safeParse(written.get("server")).data;
  const shape = shapeOf(kind);
  const faults: Fault[] = [
    ...findMisplaced(known.topLevel ?? {}, (name) => Object.hasOwn(everyShape, name)),
    ...unknownSettings([...written.keys()], shape, kind),
  ];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    // If the kind of server is unknown, no setting is reported as missing.
    if (kind === undefined && !written.has(name)) continue;
    const result = schema.safeParse(written.get(name));
    if (result.success) values[name] = result.data;
    else faults.push(...faultsOf(name, schema, written.get(name), result.error));
  }
  faults.push(...crossFaults(values, known));
  if (faults.length > 0) throw settingsError(faults, known.stack);

  // Every value was parsed by the schema of its name, so the cast to the whole type is safe.
  const settings = values as Settings;
  return { ...settings, protected: settings.protected ?? isRealStack(known.stack) };
}

/**
 * Returns every setting with its type, default, effect and meaning, in schema order. The README's table is generated
 * from it.
 */
export function settingsReference(): SettingReference[] {
  return Object.entries(everyShape).map(([name, schema]) => ({ name, servers: kindsWith(name), ...textOf(schema) }));
}

function kindsWith(setting: string): ServerKind[] {
  return serverKinds.filter((kind) => Object.hasOwn(shapeOf(kind), setting));
}

function unknownSettings(names: readonly string[], shape: object, kind: string | undefined): Fault[] {
  const known = Object.keys(shape);
  return names
    .filter((name) => !Object.hasOwn(shape, name))
    .map((setting) => {
      const kinds = kindsWith(setting);
      const elsewhere = `is not a setting for server kind '${kind}', only for ${kinds.map((each) => `'${each}'`).join(" and ")}`;
      return { setting, reason: kinds.length > 0 ? elsewhere : `is not a setting${suggestion(setting, known)}` };
    });
}

/**
 * Finds faults between settings, and names that do not exist. A setting that is wrong by itself is absent here, so that
 * it is reported only once.
 */
function crossFaults(values: Readonly<Record<string, unknown>>, known: Known): Fault[] {
  const databases = values.databases as readonly string[] | undefined;
  const seeds = values.seeds as readonly string[] | undefined;
  const unknown = (databases ?? []).filter((name) => !Object.hasOwn(known.databases, name));
  const isProtected = Boolean(values.protected ?? isRealStack(known.stack));
  return [
    ...unknown.map((name) => ({
      setting: "databases",
      reason: `'${name}' has no folder with a database.json in migrations/${suggestion(name, Object.keys(known.databases))}`,
    })),
    ...jobFaults(values.server, databases ?? [], known.databases),
    ...serverFaults(values),
    ...plainSecrets(values, known),
    ...(seeds === undefined ? [] : unknownSeeds(seeds, databases, unknown, known)),
    ...(isProtected ? inventedIn(seeds ?? [], values.protected, known.stack) : []),
    ...(isProtected ? [...riskyFaults(values, known.stack), ...plainDumps(values, known.stack)] : []),
  ];
}

/** Rejects scheduled dumps of a protected stack if the settings do not say how they are encrypted. */
function plainDumps(values: Readonly<Record<string, unknown>>, stack: string): Fault[] {
  const { dumps } = (values.backups ?? {}) as Partial<BackupPlan>;
  if (dumps === undefined || dumps.isPlain || dumps.recipients.length > 0) return [];
  const reason =
    `has no recipients, and 'protected' ${whyProtected(values.protected, stack)}: create a key with ` +
    "`npm run pgw -- dumps key FILE`, keep the file elsewhere, and set dumps.recipients to its public key; or set " +
    "dumps.encrypt to false";
  return [{ setting: "backups.dumps", reason }];
}

/** Rejects settings with which a server with real data could lose it. */
function riskyFaults(values: Readonly<Record<string, unknown>>, stack: string): Fault[] {
  const reported = new Set(archiveFaults(values).map(({ setting }) => setting));
  return durabilityRisks((values.postgresql ?? {}) as Record<string, string>)
    .map(({ name, value, consequence }) => ({
      setting: `postgresql.${name}`,
      reason: `'${value}' is refused because 'protected' ${whyProtected(values.protected, stack)}: ${consequence}`,
    }))
    .filter(({ setting }) => !reported.has(setting));
}

function whyProtected(isProtected: unknown, stack: string): string {
  return isProtected === true ? "is true" : `is true by default in a stack named "${stack}"`;
}

/** Finds faults between the settings of a server that the kit starts. */
export function serverFaults(values: Readonly<Record<string, unknown>>): Fault[] {
  return [...archiveFaults(values), ...prebuiltFaults(values)];
}

/** Rejects settings that a server with WAL archiving cannot override. */
function archiveFaults({ backups, postgresql }: Readonly<Record<string, unknown>>): Fault[] {
  // Without a repository, no WAL is archived.
  if (backups === undefined || !("repositories" in (backups as object))) return [];
  const settings = (postgresql ?? {}) as Record<string, string>;
  const names = ["archive_mode", "archive_command", "archive_library"].filter((name) => Object.hasOwn(settings, name));
  return [
    ...names.map((name) => ({
      setting: `postgresql.${name}`,
      reason: "is set by the kit if backups are enabled; set 'backups' to false to archive in another way",
    })),
    ...(settings.wal_level === "minimal"
      ? [{ setting: "postgresql.wal_level", reason: "'minimal' does not allow WAL archiving, which 'backups' needs" }]
      : []),
  ];
}

/** Rejects keys of repositories and passphrases that are in the settings in plain text. */
function plainSecrets({ backups }: Readonly<Record<string, unknown>>, { isSecret, stack }: Known): Fault[] {
  const written = backups === undefined ? undefined : writtenSecret(backups as Partial<BackupPlan>);
  if (written === undefined) return [];
  if (isSecret?.(`${namespace}backups`) !== false) return [];
  return [
    {
      setting: "backups",
      reason:
        "has a passphrase, or keys of a repository, in plain text; encrypt each one: " +
        `pulumi config set --stack ${stack} --secret --path 'pgroundwork:backups.${written}'`,
    },
  ];
}

/** Rejects settings of the image's build if the image is not built. */
function prebuiltFaults(values: Readonly<Record<string, unknown>>): Fault[] {
  if (values.image === undefined) return [];
  return ["postgresVersion"]
    .filter((name) => values[name] !== undefined)
    .map((setting) => ({ setting, reason: "has no effect on the prebuilt 'image'; remove one of the two" }));
}

function unknownSeeds(
  seeds: readonly string[],
  databases: readonly string[] | undefined,
  unknownDatabases: readonly string[],
  known: Known,
): Fault[] {
  // If the databases are in doubt, the seed sets of any database count, so that one mistake is not reported twice.
  const certain = databases !== undefined && unknownDatabases.length === 0;
  const names = certain ? databases : Object.keys(known.databases);
  const sets = [...new Set(names.flatMap((name) => known.databases[name]?.seedSets ?? []))];
  return seeds
    .filter((set) => !sets.includes(set))
    .map((set) => ({
      setting: "seeds",
      reason: `no database of the stack has a seed set '${set}'${suggestion(set, sets)}`,
    }));
}

function inventedIn(seeds: readonly string[], isProtected: unknown, stack: string): Fault[] {
  const invented = seeds.filter(isInventedSeed);
  if (invented.length === 0) return [];
  const sets = `${invented.length === 1 ? "set" : "sets"} ${invented.map((set) => `'${set}'`).join(" and ")}`;
  return [
    {
      setting: "protected",
      reason: `${whyProtected(isProtected, stack)}, which excludes the seed ${sets}; change 'seeds', or set it to false`,
    },
  ];
}

function settingsError(faults: readonly Fault[], stack: string): OperationError {
  const count = faults.length === 1 ? "1 setting" : `${faults.length} settings`;
  const verb = faults.length === 1 ? "is" : "are";
  const lines = faults.map(({ setting, reason }) => `- Setting '${setting}': ${reason}`);
  const hint = `Set them with \`pulumi config set --stack ${stack} NAME VALUE\` or in Pulumi.${stack}.yaml; defaults are in Pulumi.yaml.`;
  const lists = faults.some(({ setting }) => setting === "databases");
  const objects = faults.filter(({ isObject }) => isObject === true).map(({ setting }) => setting);
  return new OperationError([`${count} of stack "${stack}" ${verb} wrong:`, ...lines].join("\n"), {
    hint: [hint, ...(lists ? [listHint(stack)] : []), ...objects.map((name) => objectHint(name, stack))].join("\n"),
  });
}

/** Says how to set the list of databases, of which `config set` alone makes a string. */
function listHint(stack: string): string {
  return `The first database: pulumi config set --stack ${stack} --path '${namespace}databases[0]' NAME`;
}

/** Says how to set one value of a setting that is an object, of which `config set` alone makes a string. */
function objectHint(setting: string, stack: string): string {
  return `One value in ${setting}: pulumi config set --stack ${stack} --path '${namespace}${setting}.NAME' VALUE`;
}
