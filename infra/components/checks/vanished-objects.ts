import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import type { Server } from "../server.ts";
import { askServer, type Existing } from "./existing-objects.ts";

/** A declared role or database of a server. */
export interface Declared {
  kind: "roles" | "databases";
  name: string;
  resource: pulumi.CustomResource;
}

const nouns = { roles: "role", databases: "database" } as const;

/** Declared objects that were not on the server at first: either new, or dropped by someone. */
interface Suspects {
  all: Declared[];
  /** Ends the program once, for all groups with missing objects. */
  ending?: Promise<never>;
}

const suspectsOf = new WeakMap<Server, Suspects>();

/**
 * Detects roles and databases that are in the stack's state but no longer on the server: someone dropped them. The
 * engine compares declarations only with its state, and would report no changes. A preview warns. An `up` ends with one
 * message that names all of them and the command that updates the state, before it changes anything on the missing
 * objects. They are not created again at once: a database would be empty, and a person must decide that.
 *
 * @param declared one of several groups on this server; the returned output waits only for this group
 */
export function warnOfVanished(
  server: Server,
  existing: Existing,
  declared: readonly Declared[],
): pulumi.Output<unknown> {
  const absent = existing.known ? declared.filter(({ kind, name }) => !existing[kind].has(name)) : [];
  if (absent.length === 0) return pulumi.output(undefined);
  if (pulumi.runtime.isDryRun()) {
    // Resources that will be created do not have an id yet.
    for (const each of absent) each.resource.id.apply(() => pulumi.log.warn(gone([each]), server));
    return pulumi.output(undefined);
  }
  const suspects = suspectsOf.get(server) ?? { all: [] };
  suspectsOf.set(server, suspects);
  suspects.all.push(...absent);
  return pulumi.all(absent.map(({ resource }) => resource.id)).apply(async () => {
    if ((await missingOf(server, absent)).length === 0) return;
    suspects.ending ??= endWithAll(server, suspects.all);
    await suspects.ending;
  });
}

/** Limit for waiting until other groups are created, in ms. A resource whose creation fails never gets an id. */
const othersWithinMs = 10_000;

/** Ends the program with the missing objects of all groups, once each resource is known to be new or not. */
async function endWithAll(server: Server, suspects: readonly Declared[]): Promise<never> {
  const known: Declared[] = [];
  const settled = suspects.map(
    (each) => new Promise<void>((resolve) => each.resource.id.apply(() => resolve(void known.push(each)))),
  );
  await Promise.race([Promise.all(settled), sleep(othersWithinMs)]);
  const missing = await missingOf(
    server,
    suspects.filter((each) => known.includes(each)),
  );
  return endProgram(gone(missing), server);
}

/**
 * Returns the objects that the server does not have, or none if the server no longer answers: other resources report
 * that.
 */
async function missingOf(server: Server, suspects: readonly Declared[]): Promise<Declared[]> {
  const names = (kind: Declared["kind"]) => suspects.filter((each) => each.kind === kind).map(({ name }) => name);
  const now = await askServer(server, names("roles"), names("databases"));
  return now.known ? suspects.filter(({ kind, name }) => !now[kind].has(name)) : [];
}

/** Exit code for a program that has already reported its error. The engine then adds nothing. */
const saidWhy = 32;

/**
 * Ends the program with one message. A failed output would also fail everything that uses it, each with its own message
 * before this one.
 */
async function endProgram(message: string, server: Server): Promise<never> {
  await pulumi.log.error(message, server);
  process.exit(saidWhy);
}

function gone(missing: readonly Declared[]): string {
  const what = missing.map(({ kind, name }) => `${nouns[kind]} "${name}"`).join(", ");
  const stack = pulumi.getStack();
  const option = stack === "local" ? "" : ` --stack ${stack}`;
  const rows = missing.some(({ kind }) => kind === "databases")
    ? " A database that is created again is empty: restore its data."
    : "";
  const they = missing.length === 1 ? "It was" : "They were";
  return [
    `The server no longer has ${what}, which this stack created. ${they} probably dropped by hand.`,
    `To update the state, run \`npm run pgw -- refresh${option}\`.`,
    `The next \`up\` then creates what is missing.${rows}`,
  ].join(" ");
}
