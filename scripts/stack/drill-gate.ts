import { join } from "node:path";
import type { DrillState } from "../backup/drill/state.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { drillCommand } from "../model/command-lines.ts";
import type { DrillPlan } from "../model/drill-plan.ts";
import { unknownPending } from "../model/unknown-pending.ts";
import { declaredSettings } from "./declared-settings.ts";
import { dockerPlaceIn } from "./docker-place.ts";
import type { ResourceChange } from "./event-stream.ts";
import type { Stack } from "./stack.ts";
import { resourcesOrNone } from "./stored-state.ts";

/** Planned drills of a stack, and what is known about the last ones. */
export interface StackDrills {
  plan: Pick<DrillPlan, "maxAgeSeconds" | "required">;
  state: DrillState;
}

/**
 * Compares the last drills of a stack with the plan in its settings. Only reads, and starts nothing.
 *
 * @returns undefined if no drills are planned, or if the stack has no backup container yet, so that none could be made
 */
export async function readStackDrills(stack: Stack, now: Date): Promise<StackDrills | undefined> {
  const { drill: plan } = await declaredSettings(stack.root, stack.name);
  if (plan === undefined) return undefined;
  const resources = await resourcesOrNone(stack);
  const place = dockerPlaceIn(resources);
  if (place === undefined) return undefined;
  const has = (name: string) => resources.some(({ type, outputs }) => type === containerType && outputs?.name === name);
  const [container, sidecar] = [`${place.prefix}-backup`, `${place.prefix}-drill`];
  if (!has(container)) return undefined;
  const drillContainer = has(sidecar) ? sidecar : undefined;
  const { withDocker } = await import("../docker/client.ts");
  const { readDrills } = await import("../backup/drill/record.ts");
  const { judgeDrills } = await import("../backup/drill/state.ts");
  try {
    const record = await withDocker(place.host, (docker) => readDrills(docker, container, drillContainer));
    return { plan, state: judgeDrills({ record }, plan, now) };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { plan, state: judgeDrills({ unreadable: error.message }, plan, now) };
  }
}

const containerType = "docker:index/container:Container";

/** Formats the state of drills as a warning; undefined if they are current. */
export function drillWarning({ state }: StackDrills, stack: string): string | undefined {
  return state.state === "current" ? undefined : `${state.text} Run a drill:\n    ${drillCommand(stack)}`;
}

/**
 * Refuses changes of data if the plan requires a drill and none is current.
 *
 * @param changes changes that `up` would make
 * @throws OperationError (not allowed) that names the changes
 */
export async function requireDrill(
  { plan, state }: StackDrills,
  stack: Pick<Stack, "name">,
  changes: readonly ResourceChange[],
  hasNewFiles: (change: ResourceChange) => Promise<boolean>,
): Promise<void> {
  if (!plan.required || state.state === "current") return;
  const named: string[] = [];
  for (const change of changes)
    if (changesData(change) && (!isUnknown(change) || (await hasNewFiles(change))))
      named.push(`${change.action} ${change.name}`);
  if (named.length === 0) return;
  const shown = named.length > maxNamed ? [...named.slice(0, maxNamed), `${named.length - maxNamed} more`] : named;
  throw new OperationError(
    `${state.text} Stack "${stack.name}" requires a current drill before its data is changed (${shown.join(", ")}).`,
    {
      hint: `Nothing was changed. Run a drill, or set required: false in pgroundwork:backups drill.\n    ${drillCommand(stack.name)}`,
      exitCode: exitCode.notAllowed,
    },
  );
}

/** Returns true if the server could not be asked what is pending. It is stopped, and `up` has to start it. */
function isUnknown({ pending }: ResourceChange): boolean {
  return pending.length > 0 && pending.every((each) => each.startsWith(unknownPending));
}

/**
 * Returns a function that compares the files of a database with those that the state has as applied, by name. True also
 * if the state does not have them.
 */
export function newFilesOf(stack: Stack): (change: ResourceChange) => Promise<boolean> {
  return async ({ type, name }) => {
    if (type !== migrationsType && type !== seedsType) return false;
    const resource = (await resourcesOrNone(stack)).find(
      (each) => each.type === type && each.urn.endsWith(`::${name}`),
    );
    const { database, set } = resource?.inputs ?? {};
    const applied = resource?.outputs?.applied;
    if (!Array.isArray(applied) || typeof database !== "string") return true;
    const { databaseFolder } = await import("../databases/database-file.ts");
    const folder = databaseFolder(join(stack.root, "migrations"), database);
    const files = type === seedsType ? await seedNames(folder, String(set)) : await migrationNames(folder);
    return files.some((file) => !applied.includes(file));
  };
}

async function migrationNames(folder: string): Promise<string[]> {
  const { listCommitted } = await import("../migrate/committed.ts");
  const { sortNames } = await import("../migrate/committed-names.ts");
  return sortNames(await listCommitted(folder)).names;
}

async function seedNames(folder: string, set: string): Promise<string[]> {
  const { readSeedSets } = await import("../seed/seed-file.ts");
  return (await readSeedSets(folder, [set])).map(({ filename }) => filename);
}

/** Number of changes that a refusal names. */
const maxNamed = 5;

/**
 * Returns true for a change of the databases or what is in them, and of existing volumes. Containers, their files and
 * processes may change, so that a stopped server can be started.
 */
export function changesData({ type, action, pending }: Pick<ResourceChange, "type" | "action" | "pending">): boolean {
  if (type === volumeType) return action !== "create";
  return pending.length > 0 || type.startsWith("postgresql:") || dataTypes.has(type);
}

const volumeType = "docker:index/volume:Volume";
const migrationsType = "pgroundwork:index:Migrations";
const seedsType = "pgroundwork:index:Seeds";

const dataTypes: ReadonlySet<string> = new Set([
  "pgroundwork:index:ExtensionPrivileges",
  "pgroundwork:index:Jobs",
  migrationsType,
  "pgroundwork:index:MonitoringSchema",
  "pgroundwork:index:Partitions",
  seedsType,
]);
