import { withClient } from "../../scripts/target/client.ts";
import type { Connection } from "../../scripts/target/connection.ts";
import { ConnectionError } from "../../scripts/target/connection-error.ts";
import type { CallContext, CheckFailure, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { changedInputs } from "./changed-inputs.ts";
import { checkConnection, connectionOf } from "./connection-inputs.ts";
import { readContents } from "./contents.ts";
import { type PrivilegesByRole, planTakeover, type TakeoverPlan } from "./takeover-plan.ts";

/** Inputs that hold privileges by role. */
const privilegeKeys = ["tables", "sequences", "functions"] as const;

/**
 * A database that others have worked in is opened to the stack's roles, once: privileges on what it holds already, and warnings of what migrations will not
 * be able to change. Where the kit has worked before, and in a new database, there is nothing to do.
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

  read: async (_context, current) => current,

  update: takeOverAnew,

  async delete() {},
};

async function takeOverAnew(context: CallContext, _old: unknown, news: Properties, preview: boolean) {
  return takeOver(context, news, preview);
}

async function takeOver(context: CallContext, inputs: Properties, preview: boolean): Promise<Properties> {
  const connection = connectionOf(inputs);
  const plan = connection === undefined ? undefined : await planned(connection, inputs, preview);
  if (plan !== undefined && plan.opened.length > 0) {
    const objects = plan.opened.length === 1 ? "one object" : `${plan.opened.length} objects`;
    const done = preview ? "would be" : "are";
    await context.log("info", `${objects} of others ${done} opened to the database's roles: ${plan.opened.join(", ")}`);
  }
  for (const warning of plan?.warnings ?? []) await context.log("warning", warning);
  return inputs;
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
    owner: String(inputs.owner),
    schema: String(inputs.schema),
    privileges: { table: table ?? {}, sequence: sequence ?? {}, function: functions ?? {} },
  };
  try {
    return await withClient(connection, async (client) => {
      await client.query(`BEGIN${preview ? " READ ONLY" : ""}`);
      const plan = planTakeover(await readContents(client), wish, pg.escapeIdentifier);
      if (!preview) for (const statement of plan.statements) await client.query(statement);
      await client.query("COMMIT");
      return plan;
    });
  } catch (error) {
    if (preview && error instanceof ConnectionError) return undefined;
    throw error;
  }
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
