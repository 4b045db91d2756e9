import type { Client } from "pg";
import type { ImportMap } from "../map.ts";
import { type ImportPlan, isDomain, isServerChecked, isStaged, type TablePlan } from "../plan.ts";
import { type ForeignKey, identifier, literal, type UniqueIndex } from "../target/target-table.ts";
import { printed } from "../values/codec.ts";
import { shortenSql } from "../values/shown.ts";
import { checkConstraints, fillGenerated } from "./constraints.ts";
import { baseline, type ImportRun, keySql, sameKey, stageName, targetDigest } from "./ledger.ts";
import { isMasked } from "./mask.ts";
import { deletedRows } from "./missing.ts";
import { evaluateStaged, rejectStaged, type StagedRows, wholeRow } from "./reject-staged.ts";

/*
 * Validation happens in the database, on the staged rows: the target's own expressions decide, so that no rule of a
 * check, a key or a type is written a second time. A row that fails moves from the stage to the rejected rows.
 */

/**
 * Checks of one table that need no other table of the import.
 *
 * @returns what could not be checked before the load, for the report
 */
export async function validateTable(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  importPlan: ImportPlan,
): Promise<string[]> {
  const { map } = importPlan;
  const rows: StagedRows = { client, run, plan, masked: (map.mask ?? []).length > 0, session: map.session ?? {} };
  for (const column of plan.columns)
    if (isServerChecked(column) || isDomain(column.target))
      await checkType(rows, column, isMasked(column.field, map.mask));
  await fillGenerated(rows);
  for (const { name, expression } of plan.table.checks) {
    const subject = `check ${name}: ${expression}`;
    await evaluateStaged(rows, [expression], subject, () =>
      rejectStaged(rows, `(${expression}) is false`, wholeRow, literal(subject)),
    );
  }
  const primary = plan.table.uniques.filter(({ columns }) => columns !== null && columns.join() === plan.key.join());
  const others = plan.table.uniques.filter((each) => !primary.includes(each));
  for (const unique of primary) await checkUnique(rows, unique);
  await findExisting(rows, map.existing ?? "fail");
  const deleted = await deletedRows(client, run, importPlan, plan);
  for (const unique of others) {
    await checkUnique(rows, unique);
    await checkUniqueInTarget(rows, unique, deleted);
  }
  return checkConstraints(rows, deleted);
}

/**
 * Rejects rows whose reference is neither in the target nor among the staged rows, until nothing changes: a rejected
 * row takes those along that reference it.
 */
export async function validateReferences(client: Client, run: ImportRun, { tables, map }: ImportPlan): Promise<void> {
  for (let changed = true; changed; ) {
    changed = false;
    for (const plan of tables)
      for (const key of plan.table.foreignKeys)
        if (await checkReference(client, run, plan, key, tables, map.mask)) changed = true;
  }
}

/** Checks values of a domain or of a type that only the server knows, and gives the stage's column the latter type. */
async function checkType(
  rows: StagedRows,
  { target, field }: TablePlan["columns"][number],
  masked: boolean,
): Promise<void> {
  const [column, type] = [identifier(target.name), target.type.name];
  const shown = (value: string) => (masked ? "'(masked)'" : shortenSql(value));
  const fields = `array[${literal(field)}]`;
  const isValid = `pg_input_is_valid(${column}::text, ${literal(type)})`;
  await evaluateStaged(rows, [isValid], `${target.name}: the type ${type}`, () =>
    rejectStaged(
      rows,
      `not ${isValid}`,
      fields,
      `${literal(`${target.name} is not of type ${type}: `)} || ${shown(`${column}::text`)}`,
    ),
  );
  if (target.type.base !== "other") return;
  await rejectStaged(
    rows,
    `${printed(`${column}::${type}`)} <> ${column}`,
    fields,
    `${literal(`${target.name}: PostgreSQL would write it differently, as `)} || ${shown(printed(`${column}::${type}`))}`,
  );
  const { stored } = target.type;
  const stage = stageName(rows.run, rows.plan);
  await rows.client.query(`alter table ${stage} alter ${column} type ${stored} using ${column}::${stored}`);
}

function distinctValues({ expressions, nullsNotDistinct, condition }: UniqueIndex): string {
  const filled = nullsNotDistinct ? [] : expressions.map((expression) => `(${expression}) is not null`);
  return [...filled, ...(condition === null ? [] : [`(${condition})`])].join(" and ") || "true";
}

/** Rejects rows that have the key of an earlier row of the source, or of one that the target has already. */
async function checkUnique(rows: StagedRows, unique: UniqueIndex): Promise<void> {
  const fields = unique.columns === null ? wholeRow : `array[${unique.columns.map(literal).join(", ")}]`;
  const evaluated = [...unique.expressions, ...(unique.condition === null ? [] : [unique.condition])];
  await evaluateStaged(rows, evaluated, `unique index ${unique.name}`, () =>
    rejectStaged(
      rows,
      `"$ordinal" in (
       select "$ordinal" from (
         select "$ordinal", row_number() over (partition by ${unique.expressions.join(", ")}
                                              order by "$action" = 'unchanged' desc nulls last, "$ordinal") as n
           from ${stageName(rows.run, rows.plan)} where ${distinctValues(unique)}) as numbered
        where n > 1)`,
      fields,
      literal(`another row of the source has the same key (${unique.name})`),
    ),
  );
}

/** Rejects rows whose unique values another row of the target has. `deleted`: SQL of rows `t` that will be gone. */
async function checkUniqueInTarget(rows: StagedRows, unique: UniqueIndex, deleted: string | undefined): Promise<void> {
  const { run, plan } = rows;
  const names = unique.expressions.map((_, index) => `u${index}`);
  const values = unique.expressions.map((expression, index) => `(${expression}) as u${index}`).join(", ");
  const key = plan.key.map(identifier);
  const side = (relation: string, own: string, condition = "true") =>
    `(select ${values}, ${key.map((name, index) => `${name} as k${index}`).join(", ")}${own}
       from ${relation} where ${distinctValues(unique)} and ${condition})`;
  const same = names.map((name) => `s.${name} is not distinct from t.${name}`).join(" and ");
  // Without null values the server can use a hash join.
  const joined = unique.nullsNotDistinct ? same : names.map((name) => `s.${name} = t.${name}`).join(" and ");
  const other = `(${key.map((_, index) => `s.k${index}`).join(", ")}) is distinct from (${key.map((_, index) => `t.k${index}`).join(", ")})`;
  await rejectStaged(
    rows,
    `"$action" is distinct from 'unchanged' and "$ordinal" in (
       select s."$ordinal" from ${side(stageName(run, plan), ', "$ordinal"')} s
         join ${side(`${plan.table.rows} t`, "", deleted && `not ${deleted}`)} t on ${joined} where ${other})`,
    unique.columns === null ? wholeRow : `array[${unique.columns.map(literal).join(", ")}]`,
    literal(`another row of the target has the same key (${unique.name})`),
  );
}

/** Types whose equal values are the same. Others are compared as the verification does: 1.0 is not 1.00. */
const exactTypes = /^(int[248]|oid|bool|uuid|date|time|timestamp|timestamptz|bytea)$/;

/** SQL that is true if a compared column of stage and target differs. */
function differs({ target, codec }: TablePlan["columns"][number]): string {
  const [staged, present] = ["s", "t"].map((alias) => {
    const value = `${alias}.${identifier(target.name)}`;
    return exactTypes.test(target.type.base) ? value : `(${codec.sql(value)}) collate "C"`;
  });
  return `${staged} is distinct from ${present}`;
}

/** Compares the staged rows with those that the target has, and applies the policy for existing rows. */
async function findExisting(rows: StagedRows, policy: NonNullable<ImportMap["existing"]>): Promise<void> {
  const { client, run, plan } = rows;
  const stage = stageName(run, plan);
  const join = sameKey(plan.key, "s");
  const compared = plan.columns.filter(({ notCompared }) => notCompared === undefined);
  const different = compared.map(differs).join(" or ") || "false";
  const actions = { fail: "'conflict'", keep: "'keep'", update: "'update'", merge: mergeAction(plan) };
  const merged = `left join (${baseline(run, plan, stagedKeys(run, plan))}) b on b.key = ${keySql(plan, "t")}`;
  // The load of a merge finds by it that a row was changed since.
  const seen = policy === "merge" ? `, "$seen" = ${targetDigest(plan)}` : "";
  const { rowCount } = await client.query(
    `update ${stage} s set "$action" = case when ${different} then ${actions[policy]} else 'unchanged' end ${seen}
       from ${plan.table.rows} t ${policy === "merge" ? merged : ""} where ${join}`,
  );
  if (policy === "fail" || policy === "merge") {
    const names = compared
      .map((column) => `case when ${differs(column)} then ${literal(column.target.name)} end`)
      .join(", ");
    const columns = `(select array_to_string(array[${names}]::text[], ', ') from gone s join ${plan.table.rows} t on ${join} where s."$ordinal" = gone."$ordinal")`;
    const reasons = {
      conflict: "the target has a row with this key and other values in: ",
      both: "conflict: source and target changed since the last import, and differ in: ",
    };
    // Most often no row of the source is in the target yet.
    for (const [conflict, reason] of rowCount === 0 ? [] : Object.entries(reasons))
      await rejectStaged(rows, `"$action" = '${conflict}'`, wholeRow, `${literal(reason)} || ${columns}`);
  }
  if (policy === "keep" || policy === "merge") await setKeptAside(client, run, plan, policy === "merge");
}

/** SQL of the keys of the staged rows. */
function stagedKeys(run: ImportRun, plan: TablePlan): string {
  return `select ${keySql(plan, "k")} from ${stageName(run, plan)} k`;
}

/** SQL of what `merge` does with a row whose values differ: `t` is the target's row, `b` what an import left. */
function mergeAction(plan: TablePlan): string {
  return `case when b.key is null then 'conflict'
    when b."sameRow" and b.digest = ${targetDigest(plan)} then 'update'
    when b."sameSource" and b.source_digest = s."$digest" then 'keep' else 'both' end`;
}

/** Takes rows whose target row is kept out of the stage. A merge goes on from what the last import left. */
async function setKeptAside(client: Client, run: ImportRun, plan: TablePlan, isMerge: boolean): Promise<void> {
  if (isMerge)
    await client.query(
      `insert into pgroundwork.import_row (run, number, key, action, digest, source_digest, source_key, fingerprint)
       select ${run.number}, ${plan.number}, b.key, 'kept', b.digest, b.source_digest, s."$source_key", s."$fingerprint"
         from ${stageName(run, plan)} s join (${baseline(run, plan, stagedKeys(run, plan))}) b on b.key = ${keySql(plan, "s")}
        where s."$action" = 'keep'`,
    );
  await client.query(
    `with kept as (delete from ${stageName(run, plan)} where "$action" = 'keep' returning *)
     insert into pgroundwork.import_reject (run, number, ordinal, kind, key, problems, fingerprint)
     select ${run.number}, ${plan.number}, "$ordinal", 'kept', ${keySql(plan, "kept")}, '[]', "$fingerprint" from kept`,
  );
}

/** Longest part of the chain of rejected rows that a reason shows, in characters. */
const mostOfChain = 400;

async function checkReference(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  key: ForeignKey,
  plans: readonly TablePlan[],
  mask: readonly string[] = [],
): Promise<boolean> {
  if (!key.columns.every((name) => isStaged(plan, name))) return false;
  const rows: StagedRows = { client, run, plan, masked: mask.length > 0, session: {} };
  const parents = plans.filter(({ table }) => table.name === key.parent);
  const match = (parent: string) =>
    key.columns
      .map((name, index) => `${parent}.${identifier(key.parentColumns[index] ?? "")} = s.${identifier(name)}`)
      .join(" and ");
  const filled = key.columns.map((name) => `s.${identifier(name)} is not null`).join(" and ");
  // MATCH FULL refuses a key that is filled in part.
  const inPart = `not (${filled}) and not (${filled.replaceAll("is not null", "is null")})`;
  const missing = [key.parent, ...parents.map((parent) => stageName(run, parent))].map(
    (relation) => `not exists (select from ${relation} p where ${match("p")})`,
  );
  const fields = `array[${key.columns.map(literal).join(", ")}]`;
  const values = key.columns.map((name) => {
    const field = plan.columns.find(({ target }) => target.name === name)?.field ?? "";
    return isMasked(field, mask) ? "'(masked)'" : shortenSql(`${identifier(name)}::text`);
  });
  const value = `concat_ws(', ', ${values.join(", ")})`;
  const rejectedParent = parents.map(
    (parent) => `(select ${shortenSql("p.problems -> 0 ->> 'reason'", mostOfChain)} from pgroundwork.import_reject p
        where p.run = ${run.number} and p.number = ${parent.number} and ${key.columns
          .map(
            (name, index) => `p.staged ->> ${literal(key.parentColumns[index] ?? "")} = gone.${identifier(name)}::text`,
          )
          .join(" and ")} limit 1)`,
  );
  const unknown = literal("which does not exist");
  const chain =
    rejectedParent.length === 0
      ? unknown
      : `coalesce('which was rejected: ' || coalesce(${rejectedParent.join(", ")}), ${unknown})`;
  const isPartial =
    key.full &&
    (await rejectStaged(
      rows,
      inPart,
      fields,
      literal(`${key.columns.join(", ")} references ${key.parent} with MATCH FULL, and only some of them have a value`),
    ));
  const isMissing = await rejectStaged(
    rows,
    `${filled} and ${missing.join(" and ")}`,
    fields,
    `${literal(`${key.columns.join(", ")} references ${key.parent} `)} || ${value} || ', ' || ${chain}`,
  );
  return isPartial || isMissing;
}
