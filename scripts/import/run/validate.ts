import type { Client } from "pg";
import type { ImportMap } from "../map.ts";
import { type ImportPlan, isServerChecked, type TablePlan } from "../plan.ts";
import { type ForeignKey, identifier, literal, type UniqueIndex } from "../target/target-table.ts";
import { printed } from "../values/codec.ts";
import { shortenSql } from "../values/shown.ts";
import { baseline, digestSql, type ImportRun, keySql, stageName } from "./ledger.ts";
import { isMasked } from "./mask.ts";
import { deletedRows } from "./missing.ts";

/*
 * Validation happens in the database, on the staged rows: the target's own expressions decide, so that no rule of a
 * check, a key or a type is written a second time. A row that fails moves from the stage to the rejected rows.
 */

/** Checks of one table that need no other table of the import. */
export async function validateTable(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  importPlan: ImportPlan,
): Promise<void> {
  const { map } = importPlan;
  for (const column of plan.columns)
    if (isServerChecked(column)) await checkType(client, run, plan, column, isMasked(column.field, map.mask));
  for (const check of plan.table.checks)
    await reject(
      client,
      run,
      plan,
      `(${check.expression}) is false`,
      "null::text[]",
      literal(`check ${check.name}: ${check.expression}`),
    );
  const primary = plan.table.uniques.filter(({ columns }) => columns !== null && columns.join() === plan.key.join());
  const others = plan.table.uniques.filter((each) => !primary.includes(each));
  for (const unique of primary) await checkUnique(client, run, plan, unique);
  await findExisting(client, run, plan, map.existing ?? "fail");
  const deleted = await deletedRows(client, run, importPlan, plan);
  for (const unique of others) {
    await checkUnique(client, run, plan, unique);
    await checkUniqueInTarget(client, run, plan, unique, deleted);
  }
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

/** Moves staged rows to the rejected rows. The condition and the texts are SQL on the stage's columns. */
async function reject(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  condition: string,
  fields: string,
  reason: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `with gone as (delete from ${stageName(run, plan)} s where ${condition} returning *)
     insert into pgroundwork.import_reject (run, number, ordinal, kind, key, problems, staged, fingerprint)
     select ${run.number}, ${plan.number}, "$ordinal", 'rejected', ${keySql(plan, "gone")},
            jsonb_build_array(jsonb_build_object('fields', ${fields}, 'reason', ${reason})), to_jsonb(gone.*),
            "$fingerprint" from gone`,
  );
  return (rowCount ?? 0) > 0;
}

/** Checks values of a type that only the server knows, and gives the stage's column that type. */
async function checkType(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  { target, field }: TablePlan["columns"][number],
  masked: boolean,
): Promise<void> {
  const [column, type] = [identifier(target.name), target.type.name];
  const shown = (value: string) => (masked ? "'(masked)'" : shortenSql(value));
  const fields = `array[${literal(field)}]`;
  await reject(
    client,
    run,
    plan,
    `not pg_input_is_valid(${column}, ${literal(type)})`,
    fields,
    `${literal(`${target.name} is not of type ${type}: `)} || ${shown(column)}`,
  );
  await reject(
    client,
    run,
    plan,
    `${printed(`${column}::${type}`)} <> ${column}`,
    fields,
    `${literal(`${target.name}: PostgreSQL would write it differently, as `)} || ${shown(printed(`${column}::${type}`))}`,
  );
  await client.query(`alter table ${stageName(run, plan)} alter ${column} type ${type} using ${column}::${type}`);
}

function distinctValues({ expressions, nullsNotDistinct, condition }: UniqueIndex): string {
  const filled = nullsNotDistinct ? [] : expressions.map((expression) => `(${expression}) is not null`);
  return [...filled, ...(condition === null ? [] : [`(${condition})`])].join(" and ") || "true";
}

/** Rejects rows that have the key of an earlier row of the source, or of one that the target has already. */
async function checkUnique(client: Client, run: ImportRun, plan: TablePlan, unique: UniqueIndex): Promise<void> {
  const fields = unique.columns === null ? "null::text[]" : `array[${unique.columns.map(literal).join(", ")}]`;
  await reject(
    client,
    run,
    plan,
    `"$ordinal" in (
       select "$ordinal" from (
         select "$ordinal", row_number() over (partition by ${unique.expressions.join(", ")}
                                              order by "$action" = 'unchanged' desc nulls last, "$ordinal") as n
           from ${stageName(run, plan)} where ${distinctValues(unique)}) as numbered
        where n > 1)`,
    fields,
    literal(`another row of the source has the same key (${unique.name})`),
  );
}

/** Rejects rows whose unique values another row of the target has. `deleted`: SQL of rows `t` that will be gone. */
async function checkUniqueInTarget(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  unique: UniqueIndex,
  deleted: string | undefined,
): Promise<void> {
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
  await reject(
    client,
    run,
    plan,
    `"$action" is distinct from 'unchanged' and "$ordinal" in (
       select s."$ordinal" from ${side(stageName(run, plan), ', "$ordinal"')} s
         join ${side(`${plan.table.rows} t`, "", deleted && `not ${deleted}`)} t on ${joined} where ${other})`,
    unique.columns === null ? "null::text[]" : `array[${unique.columns.map(literal).join(", ")}]`,
    literal(`another row of the target has the same key (${unique.name})`),
  );
}

/** SQL that is true if a compared column of stage and target differs. Types without equality are compared as text. */
function differs(column: TablePlan["columns"][number]): string {
  const name = identifier(column.target.name);
  const cast = ["json", "other"].includes(column.target.type.base) ? "::text" : "";
  return `s.${name}${cast} is distinct from t.${name}${cast}`;
}

/** Compares the staged rows with those that the target has, and applies the policy for existing rows. */
async function findExisting(
  client: Client,
  run: ImportRun,
  plan: TablePlan,
  policy: NonNullable<ImportMap["existing"]>,
): Promise<void> {
  const stage = stageName(run, plan);
  const join = plan.key.map((name) => `s.${identifier(name)} = t.${identifier(name)}`).join(" and ");
  const compared = plan.columns.filter(({ notCompared }) => notCompared === undefined);
  const different = compared.map(differs).join(" or ") || "false";
  const actions = { fail: "'conflict'", keep: "'keep'", update: "'update'", merge: mergeAction(plan) };
  const merged = `left join (${baseline(run, plan, stagedKeys(run, plan))}) b on b.key = ${keySql(plan, "t")}`;
  // The load of a merge finds by it that a row was changed since.
  const all = plan.table.columns.map(({ name }) => name);
  const seen = policy === "merge" ? `, "$seen" = ${digestSql(all, "t")}` : "";
  await client.query(
    `update ${stage} s set "$action" = case when ${different} then ${actions[policy]} else 'unchanged' end ${seen}
       from ${plan.table.rows} t ${policy === "merge" ? merged : ""} where ${join}`,
  );
  if (policy === "fail" || policy === "merge") {
    const names = compared
      .map((column) => `case when ${differs(column)} then ${literal(column.target.name)} end`)
      .join(", ");
    const columns = `(select concat_ws(', ', ${names}) from gone s join ${plan.table.rows} t on ${join} where s."$ordinal" = gone."$ordinal")`;
    const reasons = {
      conflict: "the target has a row with this key and other values in: ",
      both: "conflict: source and target changed since the last import, and differ in: ",
    };
    for (const [conflict, reason] of Object.entries(reasons))
      await reject(client, run, plan, `"$action" = '${conflict}'`, "null::text[]", `${literal(reason)} || ${columns}`);
  }
  if (policy === "keep" || policy === "merge") await setKeptAside(client, run, plan, policy === "merge");
}

/** SQL of the keys of the staged rows. */
function stagedKeys(run: ImportRun, plan: TablePlan): string {
  return `select ${keySql(plan, "k")} from ${stageName(run, plan)} k`;
}

/** SQL of what `merge` does with a row whose values differ: `t` is the target's row, `b` what an import left. */
function mergeAction(plan: TablePlan): string {
  const digest = digestSql(
    plan.table.columns.map(({ name }) => name),
    "t",
  );
  return `case when b.key is null then 'conflict'
    when b."sameRow" and b.digest = ${digest} then 'update'
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
  // A column that a trigger fills has no staged value that the trigger would keep.
  const isStaged = (name: string) => plan.columns.some(({ target }) => target.name === name);
  if (!key.columns.every(isStaged)) return false;
  const parents = plans.filter(({ table }) => table.name === key.parent);
  const match = (parent: string) =>
    key.columns
      .map((name, index) => `${parent}.${identifier(key.parentColumns[index] ?? "")} = s.${identifier(name)}`)
      .join(" and ");
  const filled = key.columns.map((name) => `s.${identifier(name)} is not null`).join(" and ");
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
  return reject(
    client,
    run,
    plan,
    `${filled} and ${missing.join(" and ")}`,
    fields,
    `${literal(`${key.columns.join(", ")} references ${key.parent} `)} || ${value} || ', ' || ${chain}`,
  );
}
