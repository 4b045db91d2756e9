import type { CheckCase } from "../check-case.ts";

const table = [
  "create table item (id int primary key) with (autovacuum_enabled = off)",
  "insert into item select n from generate_series(1, 2000) n",
  "analyze item",
];
const flush = "select pg_stat_force_next_flush()";

export const cases: CheckCase = {
  thresholds: { deadRows: 500 },
  faults: [
    {
      title: "a table with many dead rows",
      setup: [...table, "delete from item where id <= 1500", flush],
      finds: ["shop.item"],
    },
  ],
  nearMisses: [
    { title: "dead rows that autovacuum may leave", setup: [...table, "delete from item where id <= 600", flush] },
    {
      title: "a table that has another limit",
      setup: [
        ...table,
        "alter table item set (autovacuum_vacuum_threshold = 1000)",
        "delete from item where id <= 1500",
        flush,
      ],
    },
  ],
};
