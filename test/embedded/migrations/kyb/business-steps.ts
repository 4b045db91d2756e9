import type { Client } from "pg";
import { insert, type Row } from "../table-cases.ts";

/* Steps in the life cycle of a business, as an application takes them. */

/**
 * Sets the status of a business.
 *
 * @param extra further assignments, such as `, submitted_at = now()`
 */
export function setStatus(client: Client, id: string, status: string, extra = "") {
  return client.query(`update businesses set status = '${status}'${extra} where id = $1`, [id]);
}

export async function stateOf(client: Client, id: string): Promise<Row | undefined> {
  const { rows } = await client.query<Row>(
    "select status, risk_level, compliance_status from businesses where id = $1",
    [id],
  );
  return rows[0];
}

export function assess(client: Client, id: string, risk: Row): Promise<Row> {
  return insert(client, "risk_assessments", {
    business_id: id,
    assessment_type: "event",
    model_version: "test",
    valid_until: "2999-01-01",
    ...risk,
  });
}

export async function passCheck(client: Client, id: string): Promise<void> {
  await client.query(
    `insert into compliance_checks (business_id, check_type, status, provider, started_at, completed_at, valid_until)
     values ($1, 'registry', 'passed', 'Test', now(), now(), now() + interval '1 year')`,
    [id],
  );
}
