import type { Client } from "pg";
import { readContents } from "../../../../scripts/adopt/contents.ts";
import { type AdoptionPlan, type PrivilegesByRole, planAdoption } from "../../../../scripts/adopt/plan.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { ConnectionError } from "../../../../scripts/connection/connection-error.ts";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { ensureLedger } from "../../../../scripts/ledger/kit-schema.ts";
import type { CallContext, CheckFailure, ResourceType } from "../../../provider-protocol/resource-type.ts";
import type { Properties } from "../../../provider-protocol/values.ts";
import { changedInputs } from "../../inputs/changed-inputs.ts";
import { checkConnection, connectionOf } from "../../inputs/connection-inputs.ts";

/** Inputs with privileges by role. */
const privilegeKeys = ["tables", "sequences", "functions"] as const;

/**
 * Adopts a database that others have worked in, once: opens it to the stack's roles and closes it to PUBLIC. It grants
 * privileges on existing objects, adopts the schemas that record migrations, and warns of decisions that are left to
 * the user. In a new database, or if the kit has worked there before, it does nothing.
 */
export const adoption: ResourceType = {
  async check(_context, news) {
    return { inputs: news, failures: [...checkConnection(news), ...checkPrivileges(news)] };
  },

  // Another address, password or privilege is no reason to adopt again: a migration may have revoked privileges since.
  diff: (_context, old, news) => ({
    changes: changedInputs({ database: old.inputs.database }, { database: news.database }),
  }),

  async create(context, inputs, preview) {
    return { id: `${inputs.database}/adoption`, outputs: await adopt(context, inputs, preview) };
  },

  // If the database was dropped, its adoption is gone too: the next database of that name is another one.
  read: async (_context, current) => ((await isGone(current.inputs)) ? undefined : current),

  update: adoptAgain,

  async delete() {},
};

/** Returns true if the server reports that the database does not exist. Any other answer proves nothing. */
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

async function adoptAgain(context: CallContext, _old: unknown, news: Properties, preview: boolean) {
  return adopt(context, news, preview);
}

async function adopt(context: CallContext, inputs: Properties, preview: boolean): Promise<Properties> {
  const connection = connectionOf(inputs);
  const plan = connection === undefined ? undefined : await planned(context, connection, inputs, preview);
  for (const line of plan === undefined ? [] : accountOf(plan, preview)) await context.log("info", line);
  for (const warning of plan?.warnings ?? []) await context.log("warning", warning);
  return inputs;
}

/** Describes what is done, or would be done after a preview, one line each. */
function accountOf({ opened, closed, handedOver }: AdoptionPlan, preview: boolean): string[] {
  const line = (names: string[], text: (objects: string) => string) => {
    const objects = names.length === 1 ? "one object" : `${names.length} objects`;
    return names.length === 0 ? [] : [`${text(objects)}: ${names.join(", ")}`];
  };
  const [granted, revoked, transferred] = preview
    ? ["would grant", "would revoke", "would transfer"]
    : ["granted", "revoked", "transferred"];
  return [
    ...line(opened, (objects) => `${granted} the database's roles privileges on ${objects}`),
    ...line(closed, (objects) => `${revoked} all privileges of PUBLIC on ${objects}`),
    ...line(handedOver, (objects) => `${transferred} ${objects} with migration records to the owner role`),
  ];
}

/**
 * Plans the adoption, and carries out the plan unless this is a preview. Returns undefined in a preview if the database
 * does not exist yet or does not answer.
 */
async function planned(
  context: CallContext,
  connection: Connection,
  inputs: Properties,
  preview: boolean,
): Promise<AdoptionPlan | undefined> {
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
      const look = async () => planAdoption(await readContents(client, wish.owner), wish, pg.escapeIdentifier);
      const plan = await look();
      if (!preview && plan.statements.length > 0) {
        await carryOut(client, plan, look);
        await markManaged(client, pg.escapeIdentifier(wish.owner));
      }
      await client.query("COMMIT");
      return plan;
    });
  } catch (error) {
    if (!preview || !(error instanceof ConnectionError)) throw error;
    if (!["database-missing", "unreachable"].includes(error.failure))
      await context.log("warning", `What an adoption of the database would change could not be read: ${error.text}`);
    return undefined;
  }
}

/** Number of times to look for new objects of others before failing. */
const mostLooks = 10;

/**
 * Carries out a plan, and repeats until others create no more objects meanwhile. It happens only once, so objects that
 * it misses would stay closed to the stack's roles.
 */
async function carryOut(client: Client, plan: AdoptionPlan, look: () => Promise<AdoptionPlan>): Promise<void> {
  let next = plan;
  for (let looks = 0; looks < mostLooks; looks += 1) {
    for (const statement of next.statements) await client.query(statement);
    next = await look();
    let isMore = false;
    for (const key of ["opened", "closed", "handedOver"] as const) {
      const more = next[key].filter((name) => !plan[key].includes(name));
      plan[key].push(...more);
      isMore ||= more.length > 0;
    }
    if (!isMore) return;
  }
  throw new OperationError(
    "Other sessions create objects in the database faster than they are adopted. Nothing was changed.",
    {
      hint: "Stop these sessions, then run `up` again.",
    },
  );
}

/** Records in the kit's ledger that the kit has worked here, even if no migration follows. */
async function markManaged(client: Client, owner: string): Promise<void> {
  await client.query(`SET LOCAL ROLE ${owner}`);
  await ensureLedger(client, "migration_ledger");
  await client.query("RESET ROLE");
}

/** Checks privileges strictly, since they become part of statements. */
function checkPrivileges(news: Properties): CheckFailure[] {
  return privilegeKeys.flatMap((property) =>
    Object.values((news[property] ?? {}) as Properties)
      .filter((privileges) => typeof privileges !== "string" || !/^[A-Z]+(, [A-Z]+)*$/.test(privileges))
      .map((privileges) => ({
        property,
        reason: `${property} must contain privileges like "SELECT, INSERT", but contains ${JSON.stringify(privileges)}`,
      })),
  );
}
