import type { CheckCase } from "../check-case.ts";

/** A table of more than a quarter of shared_buffers is read through a small ring, so that each scan misses. */
const table = [
  "create table item (name text)",
  "insert into item select repeat('x', 4000) from generate_series(1, 3000)",
  "alter table item alter name set storage plain",
];
const scans = "do $$ begin for i in 1..6 loop perform count(*) from item; end loop; end $$";
const reset = "select pg_stat_reset()";
const flush = "select pg_stat_force_next_flush()";

export const cases: CheckCase = {
  thresholds: { cacheBlocks: 1_000, cacheHitRatio: 0.9 },
  faults: [
    {
      title: "scans of a table that does not fit",
      setup: [
        "create table item (id int, name char(3500))",
        "insert into item select n, n from generate_series(1, 6000) n",
        reset,
        scans,
        flush,
      ],
      finds: ["fault"],
      isWithoutFix: true,
    },
  ],
  nearMisses: [
    {
      title: "scans of a table in the cache",
      setup: [...table, reset, scans, scans, scans, flush],
      thresholds: { cacheBlocks: 10 },
    },
    {
      title: "few pages read in all",
      setup: [
        "create table item (id int, name char(3500))",
        "insert into item select n, n from generate_series(1, 6000) n",
        reset,
        scans,
        flush,
      ],
      thresholds: { cacheBlocks: 1_000_000 },
    },
  ],
};
