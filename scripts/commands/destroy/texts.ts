import type { Remains } from "../../erase/cluster-files.ts";
import type { KeptRole } from "../../erase/drop-database.ts";
import type { DatabaseLoss } from "../../erase/losses.ts";
import type { FoundData } from "../../erase/stack-data.ts";

/** A database that is about to be erased, and what else goes with it. */
export interface DatabasePlan {
  name: string;
  /** undefined: only what belonged to it is left. */
  loss: DatabaseLoss | undefined;
  roles: readonly string[];
  /** Whether the settings name it. */
  declared: boolean;
}

/** No part of the kit makes backups that it could know of. */
const lastBackup = "last backup: none known";

/** What is lost with databases, before it is. */
export function describeDatabasePlans(stack: string, plans: readonly DatabasePlan[]): string {
  const lines = plans.flatMap(({ name, loss, roles, declared }) => [
    `  database ${name}: ${loss === undefined ? "not on the server any more" : `${lossOf(loss)}, ${lastBackup}`}`,
    ...(loss === undefined || loss.sessions === 0 ? [] : [`    ${connections(loss.sessions)} to it: ended`]),
    ...(roles.length === 0 ? [] : [`    with its roles ${roles.join(", ")}`]),
    ...(declared ? ["    It is in the settings: the next `up` makes it anew, empty."] : []),
  ]);
  return [`Lost for good, of stack "${stack}":`, ...lines].join("\n");
}

/** What is lost with a whole stack, before it is. */
export function describeStackPlan(
  stack: string,
  resources: number,
  found: readonly FoundData[],
  databases: readonly DatabaseLoss[] | string,
): string {
  const lines = [
    ...(resources > 0 ? [`  its ${resources} resources, and every generated password`] : []),
    ...found.map(
      ({ what, bytes, state }) => `  ${what} (${bytes === undefined ? "size not known" : size(bytes)}, ${state})`,
    ),
    ...(found.some(({ hasData }) => hasData) ? databaseLines(databases) : ["  no data: none of it was found"]),
    `  its state, with the history of it; ${settingsFile(stack)} stays`,
  ];
  return [`Lost for good: stack "${stack}" with everything in it.`, ...lines].join("\n");
}

function databaseLines(databases: readonly DatabaseLoss[] | string): string[] {
  if (typeof databases === "string") return [`    which databases: could not tell (${databases}); ${lastBackup}`];
  if (databases.length === 0) return ["    no database in it"];
  return [
    ...databases.map((loss) => `    database ${loss.name}: ${lossOf(loss)}${openSessions(loss)}`),
    `    ${lastBackup}`,
  ];
}

function openSessions({ sessions }: DatabaseLoss): string {
  return sessions === 0 ? "" : `, ${connections(sessions)}: ended`;
}

function lossOf({ bytes, content }: DatabaseLoss): string {
  if (content === undefined) return `${size(bytes)}, its tables could not be counted (it lets nobody in)`;
  const { tables, rows } = content;
  return `${size(bytes)}, ${tables} ${tables === 1 ? "table" : "tables"} with about ${rows.toLocaleString("en")} rows`;
}

function connections(count: number): string {
  return count === 1 ? "1 open connection" : `${count} open connections`;
}

/** What an erasure had to leave, a line each. */
export function describeLeft(left: { roles?: readonly KeptRole[]; files?: Remains }): string[] {
  return [
    ...(left.roles ?? []).map(({ name, reason }) => `role ${name} stays: ${reason}`),
    ...(left.files?.foreign ?? []).map((path) => `${path} stays: it is not PostgreSQL's`),
    ...(left.files?.linked ?? []).map((path) => `${path} stays: the data directory reached it by a symbolic link`),
  ];
}

/** Bytes for people, in the steps of 1,024 that PostgreSQL's own sizes have. */
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

/** Where a stack's settings stand. */
export function settingsFile(stack: string): string {
  return `Pulumi.${stack}.yaml`;
}

/** `up` of a stack as it is typed. */
export function upCommand(stack: string): string {
  return stack === "local" ? "npm run up" : `npm run up -- --stack ${stack}`;
}
