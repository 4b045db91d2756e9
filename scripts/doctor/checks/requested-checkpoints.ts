import { NotKnown } from "../../connection/observer.ts";
import type { Check } from "../check.ts";
import { settingFix } from "../fix.ts";
import { bytes, count, percent } from "../text.ts";

interface Row {
  timed: number;
  requested: number;
  wal: number;
  /** Seconds between the two resets of these counters. */
  apart: number | null;
  since: Date | null;
  /** WAL in bytes after which the server requests a checkpoint. */
  distance: number;
  maximum: string;
}

const settings = `pg_size_bytes(current_setting('max_wal_size')) / (1 + current_setting('checkpoint_completion_target')::float8) as distance,
  current_setting('max_wal_size') as maximum`;

const from = (view: string, timed: string, requested: string) => `
  select ${timed}::float8 as timed, ${requested}::float8 as requested, wal_bytes::float8 as wal, w.stats_reset as since,
         abs(extract(epoch from w.stats_reset - c.stats_reset))::float8 as apart, ${settings}
    from ${view} c, pg_stat_wal w`;

/**
 * Requested checkpoints include those of backups, of CREATE DATABASE and of CHECKPOINT. Only if the WAL between two
 * checkpoints comes near the limit, max_wal_size is the reason.
 */
export const requestedCheckpoints: Check = {
  name: "requested-checkpoints",
  title: "Checkpoints are forced by the amount of WAL",
  scope: "server",
  async find(observer, { checkpoints }) {
    if (observer.facts.inRecovery)
      throw new NotKnown("this server is a standby: its checkpoints follow those of the primary");
    const [row] = await observer.query<Row>(
      observer.facts.version >= 170_000
        ? from("pg_stat_checkpointer", "num_timed", "num_requested")
        : from("pg_stat_bgwriter", "checkpoints_timed", "checkpoints_req"),
    );
    if (row === undefined) throw new NotKnown("the server shows no statistics of checkpoints");
    const { timed, requested, wal, apart, since, distance, maximum } = row;
    if ((apart ?? 0) > 60) throw new NotKnown("the counters of checkpoints and of WAL were reset at different times");
    const all = timed + requested;
    const perCheckpoint = wal / Math.max(all, 1);
    if (all < checkpoints || requested < 0.5 * all || perCheckpoint < 0.5 * distance) return { problems: [] };
    const wanted = `${Math.ceil((4 * perCheckpoint) / 1024 ** 2)}MB`;
    return {
      problems: [
        {
          object: "max_wal_size",
          level: "warning",
          detail: `${percent(requested / all)} of ${count(all)} checkpoints since ${since?.toISOString() ?? "the start"} were requested, with ${bytes(perCheckpoint)} of WAL between two. max_wal_size is ${maximum}. Each checkpoint makes the next changes write whole pages to the WAL.`,
          fix: settingFix("max_wal_size", wanted, maximum),
        },
      ],
    };
  },
};
