import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { unknownPending } from "../../../../scripts/model/unknown-pending.ts";
import type { CallContext, PropertyChange, ResourceType } from "../../../provider-protocol/resource-type.ts";
import type { Properties } from "../../../provider-protocol/values.ts";
import { askDatabase } from "../../inputs/ask-database.ts";
import { checkConnection, connectionOf } from "../../inputs/connection-inputs.ts";

/** An answer of the database, or the reason why there is none. */
export type Pending =
  | {
      known: true;
      /** Names of pending work. */
      names: string[];
      /** Names of work that is already done, for resources with an output `applied`. */
      applied?: string[];
    }
  | { known: false; reason: string };

/** One kind of work on a database. */
export interface PendingWork {
  /** Returns the resource's id. */
  id(inputs: Properties): string;
  /** Inputs that define the work. Another address, user or password of the same database is no change. */
  identity: readonly string[];
  /**
   * Returns the names of pending work.
   *
   * @param connection undefined if nothing is provisioned yet
   * @throws OperationError if the contents of the database do not allow the work; ConnectionError if it is unreachable
   */
  ask(connection: Connection | undefined, inputs: Properties, isNew: boolean): Promise<Pending>;
  /** Returns the line that a preview prints for one name. */
  announcement(name: string, inputs: Properties): string;
  /** Does the work and returns the outputs. */
  run(context: CallContext, connection: Connection, inputs: Properties): Promise<Properties>;
  /** Outputs as far as a preview knows them. */
  previewOutputs: Properties;
}

/** Input with the names of pending work. The program never sets it. */
const pendingKey = "pending";

/**
 * Input that identifies one query of the database. The names stay among the inputs when their work is done, and a
 * refresh compares the inputs with themselves. If the same names are pending again (a seed changed again, a
 * migration was reverted), a new value shows that it is new work. The engine hides keys with this prefix.
 */
const askedKey = "__asked";

/**
 * Input with the applied work that `check` found. If it differs from the output, work was done outside the stack (`pgw
 * migrate up`), and the output is updated.
 */
const appliedKey = "applied";

/**
 * Returns a resource type for work whose extent only the database knows: migrations, seeds, partitions. `check` queries
 * the database at every preview and up, and puts the names of pending work into an input. The engine then shows the
 * change of that input name by name. Deleting such a resource changes nothing in the database.
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

    // At every run, `check` queries the database itself for pending work.
    read: async (_context, current) => current,

    update: (context, _old, news, preview) => runOrAnnounce(work, context, news, preview),

    async delete() {},
  };
}

/** Returns the inputs that `check` adds: the names, or one line with the reason why they are unknown. */
export function pendingInputs(pending: Pending): Properties {
  const names = pending.known ? pending.names : [`${unknownPending}${pending.reason}`];
  return {
    [pendingKey]: names,
    ...(names.length === 0 ? {} : { [askedKey]: randomUUID() }),
    ...(pending.known && pending.applied !== undefined ? { [appliedKey]: pending.applied } : {}),
  };
}

/** Reports pending work, changed inputs of the work, and work that was done outside the stack. */
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
      await context.log("info", name.startsWith(unknownPending) ? name : work.announcement(name, inputs));
    }
    return work.previewOutputs;
  }
  const connection = connectionOf(inputs);
  if (connection === undefined)
    throw new Error(`${work.id(inputs)} cannot run: the address of the database is not known.`);
  return work.run(context, connection, inputs);
}
