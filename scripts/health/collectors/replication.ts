import { NotKnown } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";

/** A standby of this server. */
export interface StandbyValues {
  name: string;
  state: string | null;
  /** WAL in bytes that it has not replayed. */
  lagBytes: number | null;
}

/** A replication slot. */
export interface SlotValues {
  name: string;
  isActive: boolean;
  retainedBytes: number | null;
  state: string | null;
}

export interface ReplicationValues {
  standbys: StandbyValues[];
  slots: SlotValues[];
  /** Seconds since a replica replayed its last commit; null on a primary, and before the first one. */
  replayedSecondsAgo: number | null;
  /** True if a replica receives WAL now: one without a connection would show no lag. null on a primary. */
  isReceiving: boolean | null;
}

const position = "case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end";

export const replication: Collector<ReplicationValues> = {
  name: "replication",
  needs: "pg_read_all_stats",
  async collect(observer) {
    if (!observer.facts.readsAllStats) throw new NotKnown("the role sees no details of standbys (pg_monitor)");
    const standbys = await observer.query<StandbyValues>(
      `select application_name as name, state, pg_wal_lsn_diff(${position}, replay_lsn)::float8 as "lagBytes" from pg_stat_replication order by 1`,
    );
    const slots = await observer.query<SlotValues>(
      `select slot_name::text as name, active as "isActive", pg_wal_lsn_diff(${position}, restart_lsn)::float8 as "retainedBytes", wal_status as state
         from pg_replication_slots order by 1`,
    );
    const [own] = await observer.query<Pick<ReplicationValues, "replayedSecondsAgo" | "isReceiving">>(
      `select case when pg_is_in_recovery() then extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 end as "replayedSecondsAgo",
              case when pg_is_in_recovery() then exists (select from pg_stat_wal_receiver where status = 'streaming') end as "isReceiving"`,
    );
    return {
      standbys,
      slots,
      replayedSecondsAgo: own?.replayedSecondsAgo ?? null,
      isReceiving: own?.isReceiving ?? null,
    };
  },
};
