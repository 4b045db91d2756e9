import type { Client } from "pg";
import type { TablePlan } from "../plan.ts";
import type { Source } from "../source/source.ts";
import { identifier, literal } from "../target/target-table.ts";

/** State of a sequence. */
interface SequenceState {
  isDescending: boolean;
  least: bigint;
  most: bigint;
  /** Number before the next one. */
  last: bigint;
}

/**
 * Moves the sequences of a table behind the imported numbers, and behind the last one that the source gave, so that the
 * next insert gets a number that is free.
 *
 * @returns notes on sequences that could not be moved as far
 */
export async function moveSequences(client: Client, plan: TablePlan, source: Source): Promise<string[]> {
  const { table, columns, entry } = plan;
  const notes: string[] = [];
  for (const { target, computed } of columns) {
    const { sequence } = target;
    if (sequence === null || computed || !/^int[248]$/.test(target.type.base)) continue;
    const note = (text: string) => notes.push(`${table.name}.${target.name}: ${text}`);
    const state = await readSequence(client, sequence);
    if (state === undefined) {
      note(`sequence ${sequence} was not moved, because this login may not read and update it`);
      continue;
    }
    const { isDescending, least, most } = state;
    const outer = await outermost(client, plan, target.name, isDescending);
    const numbers = outer === null ? [state.last] : [state.last, BigInt(outer)];
    const last = source.lastNumbers.get(entry.from);
    if (last !== undefined && !isDescending) {
      if (last <= most) numbers.push(last);
      else note(`sequence ${sequence} ends at ${most}, before the last number of the source, ${last}`);
    }
    const reached = numbers.reduce((found, each) => (each > found !== isDescending ? each : found));
    if (reached === state.last) continue;
    const end = isDescending ? least : most;
    const isPast = isDescending ? reached < end : reached > end;
    if (isPast) note(`sequence ${sequence} ends at ${end}, so that the next insert fails: enlarge it`);
    const clamped = isPast ? end : reached;
    await client.query("select setval($1::regclass, $2::bigint)", [sequence, String(clamped)]);
  }
  return notes;
}

/** Reads the state of a sequence; undefined if this login may not move it. */
async function readSequence(client: Client, sequence: string): Promise<SequenceState | undefined> {
  const { rows } = await client.query<{ movable: boolean; increment: string; least: string; most: string }>(
    `select has_sequence_privilege(seqrelid, 'update') and has_sequence_privilege(seqrelid, 'select') as movable,
            seqincrement::text as increment, seqmin::text as least, seqmax::text as most
       from pg_sequence where seqrelid = ${literal(sequence)}::regclass`,
  );
  const [found] = rows;
  if (found?.movable !== true) return undefined;
  const { rows: states } = await client.query<{ last: string; called: boolean }>(
    `select last_value::text as last, is_called as called from ${sequence}`,
  );
  const increment = BigInt(found.increment);
  const last = BigInt(states[0]?.last ?? 0) - (states[0]?.called === true ? 0n : increment);
  return { isDescending: increment < 0n, least: BigInt(found.least), most: BigInt(found.most), last };
}

/** Returns the largest number of a column, or the smallest one for a sequence that counts down. */
async function outermost(
  client: Client,
  { table }: TablePlan,
  column: string,
  isDescending: boolean,
): Promise<string | null> {
  const { rows } = await client.query<{ n: string | null }>(
    `select ${isDescending ? "min" : "max"}(${identifier(column)})::text as n from ${table.name}`,
  );
  return rows[0]?.n ?? null;
}
