import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Connection } from "../../scripts/target/connection.ts";
import type { CallContext, PropertyChange, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { askDatabase } from "./ask-database.ts";
import { checkConnection, connectionOf } from "./connection-inputs.ts";

/** An answer of the database, or why there is none. */
export type Pending =
  | {
      known: true;
      /** What is to be done. */
      names: string[];
      /** What is done already, where the resource's output `applied` says so, too. */
      applied?: string[];
    }
  | { known: false; reason: string };

/** What tells one kind of work on a database from another. */
export interface PendingWork {
  /** Of the resource, from its inputs. */
  id(inputs: Properties): string;
  /** Inputs that say what the work is; another address, user or password of the same database is no change. */
  identity: readonly string[];
  /**
   * Names of what is to be done.
   *
   * @param connection undefined: nothing is provisioned yet
   * @throws OperationError where what the database holds forbids to go on
   */
  ask(connection: Connection | undefined, inputs: Properties, isNew: boolean): Promise<Pending>;
  /** The line by which a preview names one of them. */
  announcement(name: string, inputs: Properties): string;
  /** Does it, and answers the outputs. */
  run(context: CallContext, connection: Connection, inputs: Properties): Promise<Properties>;
  /** The outputs as far as a preview knows them. */
  previewOutputs: Properties;
}

/** The input that the program never sets. */
const pendingKey = "pending";

/**
 * Tells one asking from the next. What was pending stays among the inputs when it is done, and a refresh compares these with themselves; the same
 * names asked again (a seed that changed once more, a migration that was taken back) are work again. The engine shows no key that begins like this.
 */
const askedKey = "__asked";

/**
 * What the database has, as `check` found it. Where that is not what the output says, somebody worked on the database beside the stack (`pgw migrate up`): the
 * output is brought up to date.
 */
const appliedKey = "applied";

/** What stands in `pending` where the database could not be asked: never an empty list. */
const unknownPrefix = "pending unknown, ";

/**
 * A resource type for work whose extent only the database knows: migrations, seeds, partitions. `check` asks it at every preview and up and puts the names of
 * what is to be done into an input: the engine shows an input's change by itself, name by name. Deleting such a resource changes nothing in the database.
 */
export function pendingWorkType(work: PendingWork): ResourceType {
  return {
    async check(_context, news, oldInputs) {
      const failures = checkConnection(news);
      if (failures.length > 0) return { inputs: news, failures };
      const isNew = oldInputs === undefined;
      const pending = await askDatabase(news, oldInputs, (connection) => work.ask(connection, news, isNew));
      return { inputs: { ...news, ...pendingInputs(pending) } };
    },

    diff: (_context, old, news) => ({ changes: diffPending(old, news, work.identity) }),

    async create(context, inputs, preview) {
      return { id: work.id(inputs), outputs: await runOrAnnounce(work, context, inputs, preview) };
    },

    // What is to be done is asked by `check` at every run, from the database itself.
    read: async (_context, current) => current,

    update: (context, _old, news, preview) => runOrAnnounce(work, context, news, preview),

    async delete() {},
  };
}

/** What `check` adds to the inputs: names, or one line that says why there are none. */
export function pendingInputs(pending: Pending): Properties {
  const names = pending.known ? pending.names : [`${unknownPrefix}${pending.reason}`];
  return {
    [pendingKey]: names,
    ...(names.length === 0 ? {} : { [askedKey]: randomUUID() }),
    ...(pending.known && pending.applied !== undefined ? { [appliedKey]: pending.applied } : {}),
  };
}

/** Pending work is a change, and so is other work, and what was done beside the stack. */
export function diffPending(
  { inputs: oldInputs, outputs }: { inputs: Properties; outputs: Properties },
  news: Properties,
  identity: readonly string[],
): PropertyChange[] {
  const isDone = news[askedKey] !== undefined && news[askedKey] === oldInputs[askedKey];
  const pending = isDone ? [] : ((news[pendingKey] as string[] | undefined) ?? []);
  const changes: PropertyChange[] = pending.map((_, index) => ({ path: `${pendingKey}[${index}]`, kind: "add" }));
  for (const key of identity) {
    if (oldInputs[key] !== news[key]) changes.push({ path: key, kind: "update" });
  }
  if (
    !isDone &&
    pending.length === 0 &&
    !isDeepStrictEqual(news[appliedKey] ?? outputs[appliedKey], outputs[appliedKey])
  ) {
    changes.push({ path: appliedKey, kind: "update", input: false });
  }
  return changes;
}

async function runOrAnnounce(
  work: PendingWork,
  context: CallContext,
  inputs: Properties,
  preview: boolean,
): Promise<Properties> {
  if (preview) {
    for (const name of inputs[pendingKey] as string[]) {
      await context.log("info", name.startsWith(unknownPrefix) ? name : work.announcement(name, inputs));
    }
    return work.previewOutputs;
  }
  const connection = connectionOf(inputs);
  if (connection === undefined)
    throw new Error(`${work.id(inputs)} was to run on a database whose address is not known.`);
  return work.run(context, connection, inputs);
}
