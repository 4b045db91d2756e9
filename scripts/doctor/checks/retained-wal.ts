import type { Check, Problem } from "../check.ts";
import { fix, quoteLiteral } from "../fix.ts";
import { bytes } from "../text.ts";

interface Row {
  slot: string;
  type: "physical" | "logical";
  plugin: string | null;
  database: string | null;
  isActive: boolean;
  /** null if the slot reserves nothing yet, or has lost its position. */
  retained: number | null;
  state: string | null;
  isUnlimited: boolean;
}

const query = `
  select slot_name::text as slot, slot_type as type, plugin::text, database::text, active as "isActive", wal_status as state,
         pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn)::float8 as retained,
         current_setting('max_slot_wal_keep_size') = '-1' as "isUnlimited"
    from pg_replication_slots where not temporary
   order by 1`;

export const retainedWal: Check = {
  name: "retained-wal",
  title: "A replication slot retains WAL",
  scope: "server",
  async find(observer, { slotBytes }) {
    const rows = await observer.query<Row>(query);
    return { problems: rows.flatMap((row) => problemOf(row, slotBytes)) };
  },
};

function problemOf(row: Row, limit: number): Problem[] {
  const { slot, type, plugin, database, isActive, retained, state, isUnlimited } = row;
  const isLost = state === "lost" || state === "unreserved";
  if (!isLost && (retained ?? 0) < limit) return [];
  const size = retained === null ? "" : ` It retains ${bytes(retained)}.`;
  const what = isLost
    ? `The replication slot ${slot} is ${state}: WAL that its client needs is removed, or will be at the next checkpoint.`
    : `The replication slot ${slot} retains WAL that its client has not confirmed.`;
  const create =
    type === "logical"
      ? `select pg_create_logical_replication_slot(${quoteLiteral(slot)}, ${quoteLiteral(plugin ?? "pgoutput")})`
      : `select pg_create_physical_replication_slot(${quoteLiteral(slot)})`;
  const problem: Problem = {
    object: slot,
    level: "error",
    detail: `${what}${size} ${isActive ? "Its client is connected." : "No client is connected."}`,
    ...(isUnlimited ? { hint: "Without max_slot_wal_keep_size, a forgotten slot fills the disk." } : {}),
  };
  if (isActive)
    return [{ ...problem, hint: "Find out why the client is slow: its disk, its network, or a long transaction." }];
  return [
    {
      ...problem,
      fix: {
        ...fix(
          [`select pg_drop_replication_slot(${quoteLiteral(slot)})`],
          "It takes no lock. The client of the slot cannot continue and needs a new copy of the data.",
          [create],
        ),
        ...(database === null ? {} : { database }),
      },
    },
  ];
}
