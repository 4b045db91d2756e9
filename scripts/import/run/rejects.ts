import type { Client } from "pg";
import type { ImportPlan, TablePlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { literal } from "../target/target-table.ts";
import { printable, shorten, shown } from "../values/shown.ts";
import { Problem } from "../values/value.ts";
import { type ImportRun, shownKey } from "./ledger.ts";
import { writeLines } from "./lines-file.ts";
import { isKeyMasked, maskedText } from "./mask.ts";
import type { RejectedRow } from "./result.ts";
import { recordedRow } from "./stage.ts";
import type { UnchangedRows } from "./unchanged.ts";

/** Rows that are read or written at once. */
const pageRows = 1_000;

/**
 * Adds the source's row to the rejected rows that the server found: the stage has only their converted values. Reads
 * the source again up to the last of them.
 */
export async function completeRejects(
  client: Client,
  source: Source,
  run: ImportRun,
  plan: TablePlan,
  { map }: ImportPlan,
  readUnchanged: () => Promise<UnchangedRows | undefined>,
): Promise<void> {
  const { rows } = await client.query<{ ordinal: string }>(
    "select ordinal from pgroundwork.import_reject where run = $1 and number = $2 and source is null and kind = 'rejected' order by ordinal",
    [run.number, plan.number],
  );
  const wanted = rows.map(({ ordinal }) => Number(ordinal));
  let [next, ordinal] = [0, 0];
  let page: { ordinal: number; place: string | null; row: string }[] = [];
  const flush = async () => {
    await client.query(
      `update pgroundwork.import_reject r set source = p.source, place = p.place
         from unnest($3::bigint[], $4::jsonb[], $5::text[]) as p (ordinal, source, place)
        where r.run = $1 and r.number = $2 and r.ordinal = p.ordinal`,
      [
        run.number,
        plan.number,
        page.map((each) => each.ordinal),
        page.map(({ row }) => row),
        page.map(({ place }) => place),
      ],
    );
    page = [];
  };
  if (wanted.length === 0) return;
  const unchanged = await readUnchanged();
  const leftOut = unchanged?.counter();
  reading: for await (const read of unchanged?.read(source, plan, {}) ?? source.rows(plan.entry)) {
    for (const { row, place, ordinal: position } of read) {
      ordinal += leftOut?.(position) ?? 0;
      const parts = row instanceof Problem ? row : plan.reader.expand(row);
      for (let part = 0; part < (parts instanceof Problem ? 1 : parts.length); part++) {
        if (++ordinal !== wanted[next]) continue;
        next++;
        page.push({
          ordinal,
          place: place ?? null,
          row: JSON.stringify(recordedRow(source, plan, row, map.mask ?? [])),
        });
        if (page.length >= pageRows) await flush();
        if (next === wanted.length) break reading;
      }
    }
  }
  await flush();
}

/**
 * Writes the rejected rows to a JSONL file with mode 0600. Each line has source, key, problems and the source's row.
 */
export async function writeRejects(client: Client, run: ImportRun, plan: ImportPlan, path: string): Promise<void> {
  await writeLines(path, rejectLines(client, run, plan));
}

async function* rejectLines(client: Client, run: ImportRun, { tables, map }: ImportPlan): AsyncIterable<string[]> {
  for (const plan of tables) {
    const key = isKeyMasked(plan, map.mask) ? literal(maskedText) : "key";
    for (let last = "0"; ; ) {
      const { rows } = await client.query<{ ordinal: string; line: string }>(
        `select ordinal::text as ordinal,
                json_build_object('source', $3::text, 'target', $4::text, 'row', ordinal, 'place', place, 'key', ${key},
                                  'problems', problems, 'values', source)::text as line
           from pgroundwork.import_reject
          where run = $1 and number = $2 and kind = 'rejected' and ordinal > $5 order by ordinal limit ${pageRows}`,
        [run.number, plan.number, plan.entry.from, plan.table.name, last],
      );
      yield rows.map(({ line }) => line);
      if (rows.length < pageRows) break;
      last = rows.at(-1)?.ordinal ?? last;
    }
  }
}

/** Longest reason, or text of a value, in a report, in characters. */
const mostOfReason = 1_000;

/** Reads the first rejected rows, for the report: with keys and reasons as people read them. */
export async function firstRejects(
  client: Client,
  run: ImportRun,
  { tables, map }: ImportPlan,
  limit: number,
): Promise<RejectedRow[]> {
  const masked = new Set(tables.filter((plan) => isKeyMasked(plan, map.mask)).map(({ number }) => number));
  const { rows } = await client.query<RejectedRow & { ordinal: string; number: number }>(
    `select r.number, t.source, t.target, r.ordinal, r.place, r.key, r.problems
       from pgroundwork.import_reject r join pgroundwork.import_table t on t.run = r.run and t.number = r.number
      where r.run = $1 and r.kind = 'rejected' order by r.number, r.ordinal limit $2`,
    [run.number, limit],
  );
  return rows.map(({ number, key, place, problems, ...row }) => ({
    ...row,
    ordinal: Number(row.ordinal),
    place: place === null ? null : printable(place),
    key: key === null ? null : masked.has(number) ? maskedText : shownKey(key),
    problems: problems.map(({ reason, value, ...each }) => ({
      ...each,
      reason: shown(reason, mostOfReason),
      ...(value === undefined ? {} : { value: typeof value === "string" ? shorten(value, mostOfReason) : value }),
    })),
  }));
}

/**
 * Removes the converted values of rejected rows from the database, which only the validation needs. They are not
 * masked. If the policy only reports rejected rows, removes the source's values, too.
 */
export async function forgetRejectedValues(client: Client, run: ImportRun, keepSource: boolean): Promise<void> {
  await client.query("update pgroundwork.import_reject set staged = null where run = $1", [run.number]);
  if (keepSource) return;
  await client.query(
    `update pgroundwork.import_reject set source = null,
            problems = (select jsonb_agg(each - 'value') from jsonb_array_elements(problems) as each)
      where run = $1 and kind = 'rejected'`,
    [run.number],
  );
}
