import type { Client } from "pg";
import { ensureLedger } from "../../scripts/database/kit-schema.ts";
import { withClient } from "../../scripts/target/client.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { ConnectionError } from "../../scripts/target/connection-error.ts";
import type { CallContext, CheckFailure, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";
import { checkConnection, connectionOf } from "./connection-inputs.ts";
import { readContents } from "./contents.ts";
import { planTakeover, type TakeoverPlan } from "./takeover-plan.ts";
import type { PrivilegesByRole } from "./takeover-wish.ts";

/** Inputs that hold privileges by role. */
const privilegeKeys = ["tables", "sequences", "functions"] as const;

/**
 * A database that others have worked in is opened to the stack's roles and closed to PUBLIC, once: privileges on what it holds already, the schemas where
 * migrations are recorded, and warnings of what only a person can decide. Where the kit has worked before, and in a new database, there is nothing to do.
 */
export const takeover: ResourceType = {
  async check(_context, news) {
    return { inputs: news, failures: [...checkConnection(news), ...checkPrivileges(news)] };
  },

  // Another address, password or matrix is no reason to go over what a migration may have narrowed since.
  diff: (_context, old, news) => ({
    changes: changedInputs({ database: old.inputs.database }, { database: news.database }),
  }),

  async create(context, inputs, preview) {
    return { id: `${inputs.database}/takeover`, outputs: await takeOver(context, inputs, preview) };
  },

  // Of a database that was dropped nothing is taken over: whatever has its name next is another one.
  read: async (_context, current) => ((await isGone(current.inputs)) ? undefined : current),

  update: takeOverAnew,

  async delete() {},
};

/** Whether the server says that there is no such database; any other answer, or none, says nothing about it. */
async function isGone(inputs: Properties): Promise<boolean> {
  const connection = connectionOf(inputs);
  if (connection === undefined) return false;
  try {
    await withClient(connection, async () => undefined);
    return false;
  } catch (error) {
    return error instanceof ConnectionError && error.failure === "database-missing";
  }
}

async function takeOverAnew(context: CallContext, _old: unknown, news: Properties, preview: boolean) {
  return takeOver(context, news, preview);
}

async function takeOver(context: CallContext, inputs: Properties, preview: boolean): Promise<Properties> {
  const connection = connectionOf(inputs);
  const plan = connection === undefined ? undefined : await planned(connection, inputs, preview);
  for (const line of plan === undefined ? [] : accountOf(plan, preview)) await context.log("info", line);
  for (const warning of plan?.warnings ?? []) await context.log("warning", warning);
  return inputs;
}

/** What is done, or in a preview would be, a line each. */
function accountOf({ opened, closed, handedOver }: TakeoverPlan, preview: boolean): string[] {
  const line = (names: string[], of: string, what: string) => {
    const objects = names.length === 1 ? "one object" : `${names.length} objects`;
    const done = preview ? "would be" : names.length === 1 ? "is" : "are";
    return names.length === 0 ? [] : [`${objects}${of} ${done} ${what}: ${names.join(", ")}`];
  };
  return [
    ...line(opened, " of others", "opened to the database's roles"),
    ...line(closed, " open to PUBLIC", "closed to it"),
    ...line(handedOver, " that migrations are recorded in", "handed over to the role that migrates"),
  ];
}

/** Makes the plan, and unless it is only asked for carries it out. Undefined: a preview of a database that is not there yet, or does not answer. */
async function planned(
  connection: Connection,
  inputs: Properties,
  preview: boolean,
): Promise<TakeoverPlan | undefined> {
  const { default: pg } = await import("pg");
  const [table, sequence, functions] = privilegeKeys.map((key) => (inputs[key] ?? {}) as PrivilegesByRole);
  const wish = {
    database: connection.database,
    owner: String(inputs.owner),
    members: Array.isArray(inputs.members) ? inputs.members.map(String) : [],
    schema: String(inputs.schema),
    privileges: { table: table ?? {}, sequence: sequence ?? {}, function: functions ?? {} },
  };
  try {
    return await withClient(connection, async (client) => {
      // The database may have default_transaction_read_only.
      await client.query(`BEGIN READ ${preview ? "ONLY" : "WRITE"}`);
      const plan = planTakeover(await readContents(client, wish.owner), wish, pg.escapeIdentifier);
      if (!preview && plan.statements.length > 0) {
        for (const statement of plan.statements) await client.query(statement);
        await markManaged(client, pg.escapeIdentifier(wish.owner));
      }
      await client.query("COMMIT");
      return plan;
    });
  } catch (error) {
    if (preview && error instanceof ConnectionError) return undefined;
    throw error;
  }
}

/** The kit's ledger says from now on that it has worked here, whether or not a migration follows. */
async function markManaged(client: Client, owner: string): Promise<void> {
  await client.query(`SET LOCAL ROLE ${owner}`);
  await ensureLedger(client, "migration_ledger");
  await client.query("RESET ROLE");
}

/** They become part of statements. */
function checkPrivileges(news: Properties): CheckFailure[] {
  return privilegeKeys.flatMap((property) =>
    Object.values((news[property] ?? {}) as Properties)
      .filter((privileges) => typeof privileges !== "string" || !/^[A-Z]+(, [A-Z]+)*$/.test(privileges))
      .map((privileges) => ({
        property,
        reason: `${property} has to hold privileges like "SELECT, INSERT", and has ${JSON.stringify(privileges)}`,
      })),
  );
}
