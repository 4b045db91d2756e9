import type { CheckCase } from "../check-case.ts";

const table = [
  "create table item (id int primary key, name text)",
  "insert into item select n, n::text from generate_series(1, 2000) n",
  // Rows that are reported after ANALYZE would count twice.
  "select pg_stat_force_next_flush()",
  "analyze item",
];
const scan = (condition: string) =>
  `do $$ begin for i in 1..12 loop perform id from item ${condition}; end loop; end $$`;
const flush = "select pg_stat_force_next_flush()";

export const cases: CheckCase = {
  thresholds: { observedDays: 0, missingIndexRows: 1_000, missingIndexScans: 10 },
  faults: [
    {
      title: "a table that is searched without an index",
      setup: [...table, scan("where name = '7'"), flush],
      finds: ["shop.item"],
      isWithoutFix: true,
    },
  ],
  nearMisses: [
    { title: "searches by an index", setup: [...table, scan("where id = 7"), flush] },
    { title: "scans that end at the first row", setup: [...table, scan("limit 1"), flush] },
    {
      title: "a small table",
      setup: [...table, scan("where name = '7'"), flush],
      thresholds: { missingIndexRows: 10_000 },
    },
    {
      title: "statistics that are new",
      setup: [...table, scan("where name = '7'"), flush],
      thresholds: { observedDays: 7 },
      unknown: /use has been counted/,
    },
  ],
};
