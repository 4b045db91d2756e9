import type { CheckCase } from "../check-case.ts";

const flush = "select pg_stat_force_next_flush()";
const rows = (count: number) => `insert into item select generate_series(1, ${count})`;

export const cases: CheckCase = {
  faults: [
    {
      title: "a table that was never analyzed",
      setup: ["create table item (id int) with (autovacuum_enabled = off)", rows(2_000), flush],
      finds: ["shop.item"],
    },
    {
      title: "a partitioned table whose partitions alone were analyzed",
      setup: [
        "create table item (id int) partition by range (id)",
        "create table item_1 partition of item for values from (1) to (10000)",
        rows(2_000),
        "analyze item_1",
        flush,
      ],
      finds: ["shop.item"],
    },
  ],
  nearMisses: [
    { title: "a table with few rows", setup: ["create table item (id int)", rows(100), flush] },
    { title: "a table that was analyzed", setup: ["create table item (id int)", rows(2_000), "analyze item", flush] },
  ],
};
