import type { CheckCase } from "../check-case.ts";

const table = [
  "create table item (id int primary key, name text)",
  "insert into item select n, n::text from generate_series(1, 20000) n",
];
const observed = ["analyze item", "select pg_stat_force_next_flush()"];

export const cases: CheckCase = {
  thresholds: { observedDays: 0, unusedIndexBytes: 100_000 },
  faults: [
    {
      title: "an index that no statement has used",
      setup: [...table, "create index item_name on item (name)", ...observed],
      finds: ["shop.item_name"],
    },
    {
      title: "an index of a partitioned table that is used in no partition",
      setup: [
        "create table item (id int, name text) partition by range (id)",
        "create table item_1 partition of item for values from (1) to (20001)",
        "create index item_name on item (name)",
        "insert into item select n, n::text from generate_series(1, 20000) n",
        ...observed,
      ],
      finds: ["shop.item_name"],
    },
  ],
  nearMisses: [
    {
      title: "a unique index, and one of a constraint",
      setup: [...table, "create unique index item_name on item (name)", ...observed],
    },
    {
      title: "an index that was used",
      setup: [
        ...table,
        "create index item_name on item (name)",
        ...observed,
        "set enable_seqscan = off",
        "select id from item where name = '7'",
        "select pg_stat_force_next_flush()",
      ],
    },
    { title: "a small index", setup: ["create table item (id int)", "create index on item (id)", ...observed] },
    {
      title: "an unused index in a database whose statistics are new",
      setup: [...table, "create index item_name on item (name)", ...observed],
      thresholds: { observedDays: 7 },
      unknown: /use has been counted for .* only/,
    },
    {
      title: "an index that a standby may use, which has a slot and is not connected",
      setup: [
        ...table,
        "create index item_name on item (name)",
        ...observed,
        "select pg_create_physical_replication_slot('standby')",
      ],
      teardown: ["select pg_drop_replication_slot('standby')"],
      unknown: /statements on standbys are not counted here, and these slots belong to some: standby/,
    },
    {
      title: "an unused index after the statistics were reset",
      setup: [...table, "create index item_name on item (name)", "select pg_stat_reset()"],
      thresholds: { observedDays: 0.01 },
      unknown: /use has been counted for .* only/,
    },
  ],
};
