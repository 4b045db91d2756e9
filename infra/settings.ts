import type { z } from "zod";
import { OperationError } from "../scripts/errors/operation-error.ts";
import { isInventedSeed, isRealStack } from "./plan/real-data.ts";
import { type Fault, faultsOf } from "./settings/fault.ts";
import {
  commonShape,
  type ServerKind,
  type SettingsOf,
  serverKinds,
  serverShape,
  serverShapes,
} from "./settings/schema.ts";
import { type SettingText, textOf } from "./settings/setting.ts";
import { suggestion } from "./settings/suggestion.ts";

/** One stack's settings, validated. `server` tells the kinds of server apart, each with its own settings beside the common ones. */
export type Settings = { [Kind in ServerKind]: SettingsOf<Kind> & { protected: boolean } }[ServerKind];

/** What there is to choose from, read from `migrations/` before the settings are. */
export interface Known {
  /** The databases that have a folder, with the seed sets in each. */
  databases: Readonly<Record<string, { seedSets: readonly string[] }>>;
  /** Name of the stack, for messages. */
  stack: string;
}

/** One row of the settings' reference. */
export interface SettingReference extends SettingText {
  name: string;
  /** The kinds of server that have it. */
  servers: readonly ServerKind[];
}

/** Where the kit's settings stand in Pulumi's configuration; what other namespaces hold belongs to providers and to Pulumi. */
const namespace = "pgroundwork:";

/** Every setting there is; of one that several kinds of server have, the texts are one. */
const everyShape: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  [serverShape, ...Object.values(serverShapes), commonShape].flatMap(entriesOf),
);

function entriesOf(shape: object): [string, z.ZodType][] {
  return Object.entries(shape);
}

/** The settings that a kind of server has, common ones included; where the kind is wrong, all. */
function shapeOf(kind: unknown): Readonly<Record<string, z.ZodType>> {
  const known = serverKinds.find((each) => each === kind);
  if (known === undefined) return everyShape;
  return Object.fromEntries([serverShape, serverShapes[known], commonShape].flatMap(entriesOf));
}

/**
 * A stack's configuration as one typed value.
 *
 * @param config Pulumi's own map, `pulumi.runtime.allConfig()`: full keys (`pgroundwork:port`), scalars as text, objects and lists as JSON
 * @throws OperationError naming every wrong setting at once, with the value, what is expected, and where settings are set
 */
export function parseSettings(config: Readonly<Record<string, string>>, known: Known): Settings {
  const written = new Map<string, string>();
  for (const [key, value] of Object.entries(config)) {
    if (key.startsWith(namespace)) written.set(key.slice(namespace.length), value);
  }

  const kind = serverShape.server.safeParse(written.get("server")).data;
  const shape = shapeOf(kind);
  const faults: Fault[] = unknownSettings([...written.keys()], shape, kind);
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    // Of a server whose kind is not known nothing is missing.
    if (kind === undefined && !written.has(name)) continue;
    const result = schema.safeParse(written.get(name));
    if (result.success) values[name] = result.data;
    else faults.push(...faultsOf(name, schema, written.get(name), result.error));
  }
  faults.push(...crossFaults(values, known));
  if (faults.length > 0) throw settingsError(faults, known.stack);

  // Every value came out of the schema of its name: what the type says about the whole holds.
  const settings = values as Settings;
  return { ...settings, protected: settings.protected ?? isRealStack(known.stack) };
}

/** Every setting with its type, default, effect and meaning, in the order of the schema: the source of the README's table. */
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
      const elsewhere = `is no setting of a server of the kind '${kind}', only of ${kinds.map((each) => `'${each}'`).join(" and ")}`;
      return { setting, reason: kinds.length > 0 ? elsewhere : `is not a setting${suggestion(setting, known)}` };
    });
}

/** Faults between settings, and with what there is. A setting that is wrong by itself is absent here, and blamed for nothing more. */
function crossFaults(values: Readonly<Record<string, unknown>>, known: Known): Fault[] {
  const databases = values.databases as readonly string[] | undefined;
  const seeds = values.seeds as readonly string[] | undefined;
  const unknown = (databases ?? []).filter((name) => !Object.hasOwn(known.databases, name));
  return [
    ...unknown.map((name) => ({
      setting: "databases",
      reason: `'${name}' has no folder with a database.json in migrations/${suggestion(name, Object.keys(known.databases))}`,
    })),
    ...archiveFaults(values),
    ...(seeds === undefined ? [] : unknownSeeds(seeds, databases, unknown, known)),
    ...((values.protected ?? isRealStack(known.stack)) ? inventedIn(seeds ?? [], values.protected, known.stack) : []),
  ];
}

/** What a server that archives cannot have otherwise. */
function archiveFaults({ backups, postgresql }: Readonly<Record<string, unknown>>): Fault[] {
  if (backups === undefined) return [];
  const settings = (postgresql ?? {}) as Record<string, string>;
  const names = ["archive_mode", "archive_command", "archive_library"].filter((name) => Object.hasOwn(settings, name));
  return [
    ...names.map((name) => ({
      setting: `postgresql.${name}`,
      reason: "is set by the kit where there are backups: set 'backups' to false to archive otherwise",
    })),
    ...(settings.wal_level === "minimal"
      ? [{ setting: "postgresql.wal_level", reason: "'minimal' cannot be archived, and 'backups' asks for that" }]
      : []),
  ];
}

function unknownSeeds(
  seeds: readonly string[],
  databases: readonly string[] | undefined,
  unknownDatabases: readonly string[],
  known: Known,
): Fault[] {
  // With the databases in doubt, any database's set counts: one mistake is not reported twice.
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
  const why = isProtected === true ? "true" : `not set, and therefore true in a stack named "${stack}",`;
  return [{ setting: "protected", reason: `${why} excludes the seed ${sets}; change 'seeds' or set false` }];
}

function settingsError(faults: readonly Fault[], stack: string): OperationError {
  const count = faults.length === 1 ? "1 setting" : `${faults.length} settings`;
  const verb = faults.length === 1 ? "is" : "are";
  const lines = faults.map(({ setting, reason }) => `- Setting '${setting}': ${reason}`);
  return new OperationError([`${count} of stack "${stack}" ${verb} wrong:`, ...lines].join("\n"), {
    remedy: `Set them with \`pulumi config set --stack ${stack} NAME VALUE\` or in Pulumi.${stack}.yaml; defaults stand in Pulumi.yaml.`,
  });
}
