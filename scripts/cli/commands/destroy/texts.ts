import type { Remains } from "../../../stack/erase/cluster-files.ts";
import type { KeptRole } from "../../../stack/erase/drop-database.ts";
import type { DatabaseLoss } from "../../../stack/erase/losses.ts";
import type { FoundData } from "../../../stack/erase/stack-data.ts";

/** A database that will be erased, and what else is erased with it. */
export interface DatabasePlan {
  name: string;
  /** Undefined if the database is gone and only its other objects are left. */
  loss: DatabaseLoss | undefined;
  roles: readonly string[];
  /** True if the settings name it. */
  declared: boolean;
  /** Description of its last backup. */
  lastBackup: string;
}

/** Describes what will be lost with databases. */
export function describeDatabasePlans(stack: string, plans: readonly DatabasePlan[]): string {
  const lines = plans.flatMap(({ name, loss, roles, declared, lastBackup }) => [
    `  database ${name}: ${loss === undefined ? "no longer on the server" : `${lossOf(loss)}, ${lastBackup}`}`,
    ...(loss === undefined || loss.sessions === 0 ? [] : [`    ${connections(loss.sessions)} to it will be closed`]),
    ...(roles.length === 0 ? [] : [`    with its roles ${roles.join(", ")}`]),
    ...(declared ? ["    The settings contain it: the next `up` creates it again, empty."] : []),
  ]);
  return [`These databases of stack "${stack}" will be deleted permanently:`, ...lines].join("\n");
}

/**
 * Describes what will be lost with a whole stack, and what stays.
 *
 * @param settings the stack's settings file, if it exists
 */
export function describeStackPlan(
  stack: string,
  resources: number,
  { found, kept }: { found: readonly FoundData[]; kept: readonly string[] },
  databases: readonly DatabaseLoss[] | string,
  lastBackup: string,
  settings: string | undefined,
): string {
  const none = kept.length === 0 ? ["  no data was found"] : [];
  const lines = [
    ...(resources > 0 ? [`  its ${resources} resources, and every generated password`] : []),
    ...found.map(
      ({ what, bytes, state }) => `  ${what} (${bytes === undefined ? "size unknown" : size(bytes)}, ${state})`,
    ),
    ...(found.some(({ hasData }) => hasData) ? databaseLines(databases, lastBackup) : none),
    `  its state and the history of the state${settings === undefined ? "" : `; ${settings} is kept`}`,
    ...kept,
  ];
  return [`Stack "${stack}" and everything in it will be deleted permanently:`, ...lines].join("\n");
}

function databaseLines(databases: readonly DatabaseLoss[] | string, lastBackup: string): string[] {
  if (typeof databases === "string") return [`    its databases are not known (${databases}); ${lastBackup}`];
  if (databases.length === 0) return ["    no databases"];
  return [
    ...databases.map((loss) => `    database ${loss.name}: ${lossOf(loss)}${openSessions(loss)}`),
    `    ${lastBackup}`,
  ];
}

function openSessions({ sessions }: DatabaseLoss): string {
  return sessions === 0 ? "" : `, ${connections(sessions)} will be closed`;
}

function lossOf({ bytes, content }: DatabaseLoss): string {
  if (content === undefined) return `${size(bytes)}, its tables could not be counted (it refuses connections)`;
  const { tables, rows, unknownTables } = content;
  const counted = `${size(bytes)}, ${tables} ${tables === 1 ? "table" : "tables"}`;
  if (unknownTables === 0) return `${counted} with about ${rows.toLocaleString("en")} rows`;
  if (rows === 0) return `${counted}, rows not known`;
  return `${counted} with more than ${rows.toLocaleString("en")} rows (those of ${unknownTables} are not known)`;
}

function connections(count: number): string {
  return count === 1 ? "1 open connection" : `${count} open connections`;
}

/** Lists what an erasure could not remove, one line each. */
export function describeLeft(left: { roles?: readonly KeptRole[]; files?: Remains }): string[] {
  return [
    ...(left.roles ?? []).map(({ name, reason }) => `role ${name} is kept: ${reason}`),
    ...(left.files?.foreign ?? []).map((path) => `${path} is kept: it does not belong to PostgreSQL`),
    ...(left.files?.linked ?? []).map((path) => `${path} is kept: a symbolic link in the data directory pointed to it`),
  ];
}

/** Formats a number of bytes in powers of 1024, as PostgreSQL does. */
export function size(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
