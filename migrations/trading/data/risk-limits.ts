import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { actingUser, found, RuleViolationError, read, write } from "pgroundwork";
import { type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, RiskLimits } from "../types.ts";

export type RiskLimit = Selectable<RiskLimits>;

/** Creates a limit as the acting user. */
export function createRiskLimit(db: Kysely<DB>, limit: Omit<Insertable<RiskLimits>, "created_by">): Promise<RiskLimit> {
  const values = { ...limit, created_by: actingUser() };
  return write(() => db.insertInto("risk_limits").values(values).returningAll().executeTakeFirstOrThrow());
}

/** Changes a limit. */
export async function updateRiskLimit(
  db: Kysely<DB>,
  id: string,
  change: Pick<Updateable<RiskLimits>, "threshold" | "warning_ratio" | "action" | "is_active" | "description">,
): Promise<RiskLimit> {
  const update = db.updateTable("risk_limits").set(change).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "risk limit", id);
}

/** Lists the limits that are in force. */
export function listRiskLimits(db: Kysely<DB>, page: PageRequest = {}) {
  const query = db.selectFrom("risk_limits").selectAll().where("is_active", "=", true);
  return read(() => pageOf(query, { by: "name", id: "id", direction: "asc" }, page));
}

/** An order before it is placed. */
export interface PlannedOrder {
  accountId: string;
  instrumentId: string;
  quantity: string;
  price: string;
}

/**
 * Checks the limits on the value of one order: of everything, of its class, its instrument, its user and its account.
 *
 * @throws RuleViolationError that names the limit
 */
export async function checkOrderLimits(db: Kysely<DB>, order: PlannedOrder): Promise<void> {
  const { accountId, instrumentId, quantity, price } = order;
  const exceeded = await read(() =>
    db
      .selectFrom("risk_limits")
      .innerJoin("instruments", (join) => join.on("instruments.id", "=", instrumentId))
      .innerJoin("accounts", (join) => join.on("accounts.id", "=", accountId))
      .select(["risk_limits.name", "risk_limits.threshold"])
      .where("risk_limits.is_active", "=", true)
      .where("risk_limits.limit_type", "=", "order_notional")
      .where("risk_limits.action", "!=", "alert")
      .where((eb) =>
        eb.or([
          eb("risk_limits.scope", "=", "global"),
          eb("risk_limits.asset_class", "=", eb.ref("instruments.asset_class")),
          eb("risk_limits.instrument_id", "=", instrumentId),
          eb("risk_limits.user_id", "=", eb.ref("accounts.user_id")),
          eb("risk_limits.account_id", "=", accountId),
        ]),
      )
      .where((eb) => {
        const numeric = (value: string) => eb.cast<string>(eb.val(value), "numeric");
        const notional = eb(eb(numeric(quantity), "*", numeric(price)), "*", eb.ref("instruments.contract_size"));
        return eb(eb.ref("risk_limits.threshold"), "<", notional);
      })
      .orderBy("risk_limits.threshold")
      .executeTakeFirst(),
  );
  if (exceeded !== undefined)
    throw new RuleViolationError(`The order exceeds the limit "${exceeded.name}" of ${exceeded.threshold}.`);
}
