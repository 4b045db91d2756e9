import type { Client } from "pg";
import type { TablePlan } from "../plan.ts";
import { identifier, literal } from "../target/target-table.ts";
import { beforeSql } from "./before-image.ts";
import { type ImportRun, keySql, sameKey, stageName, targetDigest } from "./ledger.ts";

/**
 * Locks rows that exist with other values, keeps them as they are then, and updates them. A row that was deleted since
 * the validation is rejected. So is one of a merge that was changed since then: the run can have been interrupted.
 *
 * @param range SQL of the staged rows `s` that are loaded
 * @param explain adds what the error of an update means
 */
export async function updateExisting(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  range: string,
  explain: <T>(work: Promise<T>) => Promise<T>,
): Promise<void> {
  const [stage, target] = [stageName(run, plan), plan.table.rows];
  const all = plan.table.columns.map(({ name }) => name);
  const updated = `s."$action" = 'update' and ${range}`;
  const reason = (what: string) => literal(`conflict: the target ${what} it during this import`);
  const { rows } = await client.query<{ kept: number }>(
    `with locked as materialized (
       select s."$ordinal" as ordinal, s."$digest" as digest, s."$source_key" as source_key,
              s."$fingerprint" as fingerprint, ${keySql(plan, "t")} as key, ${beforeSql(all, "t")} as before
         from ${stage} s join ${target} t on ${sameKey(plan.key, "s")}
        where ${updated} and coalesce(s."$seen" = ${targetDigest(plan)}, true) for no key update of t),
     kept as (
       insert into pgroundwork.import_row (run, number, key, action, source_digest, source_key, before, fingerprint)
       select ${run.number}, ${plan.number}, l.key, 'updated', l.digest, l.source_key, l.before, l.fingerprint
         from locked l returning 1),
     gone as (delete from ${stage} s where ${updated} and s."$ordinal" not in (select l.ordinal from locked l) returning s.*),
     rejected as (
       insert into pgroundwork.import_reject (run, number, ordinal, kind, key, problems, fingerprint)
       select ${run.number}, ${plan.number}, g."$ordinal", 'rejected', ${keySql(plan, "g")},
              jsonb_build_array(jsonb_build_object('fields', null, 'reason',
                case when exists (select from ${target} t where ${sameKey(plan.key, "g")})
                     then ${reason("changed")} else ${reason("deleted")} end)), g."$fingerprint" from gone g)
     select count(*)::int as kept from kept`,
  );
  if (rows[0]?.kept === 0) return;
  const names = plan.columns
    .filter(({ computed, target: { name } }) => !computed && !plan.key.includes(name))
    .map(({ target: { name } }) => identifier(name));
  await explain(
    client.query(
      `update ${target} t set ${names.map((name) => `${name} = s.${name}`).join(", ")}
         from ${stage} s where ${sameKey(plan.key, "s")} and ${updated}`,
    ),
  );
}
