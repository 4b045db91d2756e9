import type { Client } from "pg";
import { isFromServer } from "../../connection/server-fault.ts";
import { inTransaction, setLocally } from "../../connection/session.ts";
import type { TablePlan } from "../plan.ts";
import { identifier, literal } from "../target/target-table.ts";
import { shortenSql } from "../values/shown.ts";
import { type ImportRun, keySql, stageName } from "./ledger.ts";

/** A table of a run whose staged rows are validated. */
export interface StagedRows {
  client: Client;
  run: ImportRun;
  plan: TablePlan;
  /** True if messages of the server are not shown, because they can have values of masked fields. */
  masked: boolean;
  /** Settings with which the rows are loaded. */
  session: Readonly<Record<string, string>>;
}

/** SQL of no fields: the problem concerns the whole row. */
export const wholeRow = "null::text[]";

/**
 * Moves staged rows to the rejected rows. The condition and the texts are SQL on the stage's columns.
 *
 * @returns true if there was such a row
 */
export async function rejectStaged(
  { client, run, plan }: StagedRows,
  condition: string,
  fields: string,
  reason: string,
): Promise<boolean> {
  // Rows that reference it find it by the values of a key. All values could be too long for one jsonb.
  const names = new Set([...plan.key, ...plan.table.uniques.flatMap(({ columns }) => columns ?? [])]);
  const keys = [...names].map((name) => `gone.${identifier(name)}`).join(", ");
  const { rowCount } = await client.query(
    `with gone as (delete from ${stageName(run, plan)} s where ${condition} returning *)
     insert into pgroundwork.import_reject (run, number, ordinal, kind, key, problems, staged, fingerprint)
     select ${run.number}, ${plan.number}, "$ordinal", 'rejected', ${keySql(plan, "gone")},
            jsonb_build_array(jsonb_build_object('fields', ${fields}, 'reason', ${reason})), (select to_jsonb(k) from (select ${keys}) k),
            "$fingerprint" from gone`,
  );
  return (rowCount ?? 0) > 0;
}

/** SQLSTATEs of errors that an expression raises for some rows, and not for others. */
const ofRow = /^(21|22|23|2F|38|39|54|P0)/;

/**
 * Evaluates expressions of the target on the staged rows. If they raise an error, such as a division by zero, the rows
 * that raise it are rejected, and the work is done again.
 *
 * @param expressions SQL of the expressions, on the stage's columns
 * @param subject what the expressions belong to, for the reason
 * @param alias name by which the expressions can call the stage
 */
export async function evaluateStaged<T>(
  rows: StagedRows,
  expressions: readonly string[],
  subject: string,
  work: () => Promise<T>,
  alias = "s",
): Promise<T> {
  const { client, run, plan } = rows;
  const undo = await beginAttempt(client);
  try {
    const result = await work();
    await undo?.(false);
    return result;
  } catch (error) {
    if (!isFromServer(error) || !ofRow.test(String(error.code))) throw error;
    await undo?.(true);
    const evaluate = `perform ${expressions.map((expression) => `(${expression})`).join(", ")} from ${stageName(run, plan)} as ${identifier(alias)}`;
    await rejectRaising(
      rows,
      "true",
      (ordinal) => `${evaluate} where "$ordinal" = ${ordinal};`,
      `${subject} raises an error`,
    );
    return work();
  }
}

/** Returns what ends an attempt within a transaction, in which an error would end all; undefined if there is none. */
async function beginAttempt(client: Client): Promise<((isUndone: boolean) => Promise<void>) | undefined> {
  if (client.getTransactionStatus() !== "T") return undefined;
  await client.query("savepoint import_attempt");
  return async (isUndone) => {
    await client.query(`${isUndone ? "rollback to" : "release"} savepoint import_attempt`);
  };
}

/** Evaluates expressions with the settings of the load, which policies can read. */
export async function withLoadSettings<T>({ client, session }: StagedRows, work: () => Promise<T>): Promise<T> {
  const names = Object.keys(session);
  if (names.length === 0) return work();
  const settled = async () => {
    await setLocally(client, session);
    return work();
  };
  const undo = await beginAttempt(client);
  if (undo === undefined) return inTransaction(client, settled);
  const { rows: former } = await client.query<{ name: string; value: string | null }>(
    "select name, current_setting(name, true) as value from unnest($1::text[]) as name",
    [names],
  );
  const result = await settled();
  await setLocally(client, Object.fromEntries(former.map(({ name, value }) => [name, value ?? ""])));
  await undo(false);
  return result;
}

/**
 * Tries a statement of PL/pgSQL with each of some staged rows, and rejects those for which it fails.
 *
 * @param candidates SQL of which rows are tried
 * @param statement gives the statement for the row with an ordinal, which is SQL
 */
export async function rejectRaising(
  rows: StagedRows,
  candidates: string,
  statement: (ordinal: string) => string,
  subject: string,
): Promise<void> {
  const { client, run, plan, masked } = rows;
  const stage = stageName(run, plan);
  await client.query(`create index if not exists ${stage.split(".")[1]}_ordinal on ${stage} ("$ordinal")`);
  const body = `declare tried bigint; begin
    for tried in select "$ordinal" from ${stage} s where ${candidates} loop
      begin
        ${statement("tried")}
      exception when others then
        update ${stage} set "$action" = 'raises ' || ${masked ? "'SQLSTATE ' || sqlstate" : "sqlerrm"} where "$ordinal" = tried;
      end;
    end loop;
  end`;
  await client.query(`do ${literal(body)}`);
  const message = shortenSql(`substring("$action" from 8)`);
  await rejectStaged(rows, `"$action" like 'raises %'`, wholeRow, `${literal(`${subject}: `)} || ${message}`);
}
