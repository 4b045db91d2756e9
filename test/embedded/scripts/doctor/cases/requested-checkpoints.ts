import type { CheckCase } from "../check-case.ts";

const reset = ["select pg_stat_reset_shared('checkpointer')", "select pg_stat_reset_shared('wal')"];
const small = ["alter system set max_wal_size = '32MB'", "select pg_reload_conf()"];
const teardown = ["alter system reset max_wal_size", "select pg_reload_conf()"];
const write = "insert into item select repeat('x', 1000) from generate_series(1, 12000)";

export const cases: CheckCase = {
  thresholds: { checkpoints: 2 },
  faults: [
    {
      title: "checkpoints after as much WAL as is allowed",
      setup: [
        ...small,
        "create table item (name text)",
        ...reset,
        write,
        "checkpoint",
        write,
        "checkpoint",
        "select pg_stat_force_next_flush()",
      ],
      teardown,
      finds: ["max_wal_size"],
    },
  ],
  nearMisses: [
    {
      title: "checkpoints that were requested after little WAL",
      setup: [
        ...small,
        "create table item (name text)",
        ...reset,
        "insert into item values (1)",
        "checkpoint",
        "insert into item values (2)",
        "checkpoint",
      ],
      teardown,
    },
  ],
};
