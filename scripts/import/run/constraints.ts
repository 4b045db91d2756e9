import { isStaged } from "../plan.ts";
import {
  type Exclusion,
  type GeneratedColumn,
  readExclusions,
  readGenerated,
  readPartitionBounds,
  readSizedIndexes,
  type SizedIndex,
} from "../target/constraints.ts";
import { identifier, literal } from "../target/target-table.ts";
import { stageName, triedName } from "./ledger.ts";
import { checkPolicies } from "./policies.ts";
import { evaluateStaged, rejectRaising, rejectStaged, type StagedRows, wholeRow } from "./reject-staged.ts";

/*
 * Constraints beside checks, unique keys and foreign keys: generated columns, exclusions, partitions, the size of index
 * entries, and row security.
 */

/** Computes the generated columns of the staged rows that checks or keys concern. */
export async function fillGenerated(rows: StagedRows): Promise<void> {
  const { client, run, plan } = rows;
  const generated = (await readGenerated(client, plan.table.oid)).filter(
    ({ name }) => !plan.columns.some(({ target }) => target.name === name),
  );
  if (generated.length === 0) return;
  const stage = stageName(run, plan);
  const [used, unused] = [true, false].map((isUsed) =>
    generated.filter((each) => (each.isUsed || each.notNull) === isUsed),
  ) as [GeneratedColumn[], GeneratedColumn[]];
  const set = used.map(({ name, expression }) => `${identifier(name)} = (${expression})`).join(", ");
  await evaluateGenerated(rows, used, `update ${stage} set ${set}`);
  const counted = unused.map(({ expression }) => `count(${expression})`).join(", ");
  await evaluateGenerated(rows, unused, `select ${counted} from ${stage}`);
  for (const { name, notNull } of generated)
    if (notNull)
      await rejectStaged(
        rows,
        `${identifier(name)} is null`,
        wholeRow,
        literal(`the target requires a value in ${name}, which it generates`),
      );
}

/** Runs a statement that evaluates generated columns. An expression can raise an error for some rows. */
async function evaluateGenerated(rows: StagedRows, columns: readonly GeneratedColumn[], sql: string): Promise<void> {
  if (columns.length === 0) return;
  const values = columns.map(({ expression }) => expression);
  const names = columns.map(({ name }) => name).join(", ");
  await evaluateStaged(rows, values, `generated column ${names}`, () => rows.client.query(sql));
}

/**
 * Rejects staged rows that a constraint of the table refuses.
 *
 * @param deleted SQL of rows `t` of the target that will be gone
 * @returns what could not be checked, for the report
 */
export async function checkConstraints(rows: StagedRows, deleted: string | undefined): Promise<string[]> {
  const { client, plan } = rows;
  const { oid } = plan.table;
  for (const exclusion of await readExclusions(client, oid)) await checkExclusion(rows, exclusion, deleted);
  const notes = await checkPartitions(rows);
  for (const index of await readSizedIndexes(client, oid)) await checkEntrySize(rows, index);
  return [...notes, ...(await checkPolicies(rows))];
}

/** Rejects rows that a row of the target excludes, and then those that an earlier row of the source excludes. */
async function checkExclusion(rows: StagedRows, exclusion: Exclusion, deleted: string | undefined): Promise<void> {
  const { client, run, plan } = rows;
  const { name, expressions, operators, condition, definition } = exclusion;
  const [stage, tried] = [stageName(run, plan), triedName(run, plan)];
  const values = expressions.map((expression, index) => `(${expression}) as e${index}`).join(", ");
  const keys = plan.key.map((each, index) => `${identifier(each)} as k${index}`).join(", ");
  const side = (relation: string, own: string, where = "true") =>
    `(select ${values}, ${keys}${own} from ${relation} where (${condition ?? "true"}) and ${where})`;
  const conflict = operators.map((operator, index) => `s.e${index} ${operator} t.e${index}`).join(" and ");
  const isOther = `(${plan.key.map((_, index) => `s.k${index}`).join(", ")}) is distinct from (${plan.key.map((_, index) => `t.k${index}`).join(", ")})`;
  await evaluateStaged(rows, [...expressions, ...(condition === null ? [] : [condition])], `exclusion ${name}`, () =>
    rejectStaged(
      rows,
      `"$action" is distinct from 'unchanged' and "$ordinal" in (
         select s."$ordinal" from ${side(stage, ', "$ordinal"')} s
           join ${side(`${plan.table.rows} t`, "", deleted && `not ${deleted}`)} t on ${conflict} where ${isOther})`,
      wholeRow,
      literal(`another row of the target excludes it (${name})`),
    ),
  );
  // One request is one transaction, so nothing of it is left behind.
  await client.query(
    `create table ${tried} (like ${stage});
     alter table ${tried} add ${definition};
     with accepted as (
       insert into ${tried} select * from ${stage} order by "$action" = 'unchanged' desc nulls last, "$ordinal"
           on conflict do nothing returning "$ordinal")
     update ${stage} set "$action" = 'excluded' where "$ordinal" not in (select "$ordinal" from accepted);
     drop table ${tried}`,
  );
  await rejectStaged(
    rows,
    `"$action" = 'excluded'`,
    wholeRow,
    literal(`another row of the source excludes it (${name})`),
  );
}

/** Rejects rows that no partition accepts, or that the table does not accept because it is a partition itself. */
async function checkPartitions(rows: StagedRows): Promise<string[]> {
  const { client, plan } = rows;
  const { own, partitions, columns } = await readPartitionBounds(client, plan.table.oid);
  if (own === null && partitions === null) return [];
  const hidden = columns?.filter((name) => !isStaged(plan, name)) ?? [];
  if (hidden.length > 0)
    return [
      `${plan.table.name}: its partitions were not checked before the load, because ${hidden.join(", ")} is not mapped`,
    ];
  const check = (condition: string, reason: string) =>
    evaluateStaged(rows, [condition], reason, () =>
      rejectStaged(rows, `(${condition}) is not true`, wholeRow, literal(reason)),
    );
  if (own !== null) await check(own, `the row is outside the bounds of the partition ${plan.table.name}`);
  if (partitions !== null) {
    const accepted = partitions.map((each) => `(${each})`).join(" or ") || "false";
    await check(accepted, `${plan.table.name} has no partition for the row`);
  }
  return [];
}

/** Bytes of values that an entry of a B-tree index can have in any case. */
const safeEntryBytes = 2_600;

/** Rejects rows that are too long for an index. Long values are tried, because the server compresses them. */
async function checkEntrySize(rows: StagedRows, index: SizedIndex): Promise<void> {
  const { client, run, plan } = rows;
  const { name, expressions, keys, condition } = index;
  const [stage, tried] = [stageName(run, plan), triedName(run, plan)];
  const where = condition === null ? "true" : `(${condition})`;
  const bytes = expressions.map((expression) => `coalesce(pg_column_size(${expression}), 0)`).join(" + ");
  const isLong = `"$action" is distinct from 'unchanged' and ${where} and ${bytes} > ${safeEntryBytes}`;
  const found = await evaluateStaged(rows, [...expressions, where], `index ${name}`, () =>
    client.query(`select from ${stage} s where ${isLong} limit 1`),
  );
  if (found.rowCount === 0) return;
  const included = expressions.slice(keys);
  const key = expressions.slice(0, keys).map((expression) => `(${expression})`);
  await client.query(
    `create table ${tried} (like ${stage});
     create index on ${tried} (${key.join(", ")}) ${included.length === 0 ? "" : `include (${included.join(", ")})`} where ${where}`,
  );
  await rejectRaising(
    rows,
    isLong,
    (ordinal) => `insert into ${tried} select * from ${stage} where "$ordinal" = ${ordinal};`,
    `index ${name}`,
  );
  await client.query(`drop table ${tried}`);
}
