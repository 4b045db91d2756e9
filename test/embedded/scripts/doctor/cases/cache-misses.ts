import type { CheckCase } from "../check-case.ts";

const create = ["create table item (name text)", "alter table item alter name set storage plain"];
const fill = (count: number) => `insert into item select repeat('x', 3500) from generate_series(1, ${count})`;
/** Larger than shared_buffers, and read through a small ring, so that each scan misses. */
const large = [...create, fill(12_000)];
const small = [...create, fill(500)];
const scans = "do $$ begin for i in 1..6 loop perform count(*) from item; end loop; end $$";
const reset = "select pg_stat_reset()";
const flush = "select pg_stat_force_next_flush()";

export const cases: CheckCase = {
  thresholds: { cacheBlocks: 1_000, cacheHitRatio: 0.9 },
  faults: [
    {
      title: "scans of a table that does not fit",
      setup: [...large, reset, scans, flush],
      finds: ["fault"],
      isWithoutFix: true,
    },
  ],
  nearMisses: [
    {
      title: "scans of a table in the cache",
      setup: [...small, reset, scans, flush],
      thresholds: { cacheBlocks: 10 },
    },
    {
      title: "few pages read in all",
      setup: [...large, reset, scans, flush],
      thresholds: { cacheBlocks: 1_000_000 },
    },
  ],
};
