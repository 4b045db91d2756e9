import type { CheckCase } from "../check-case.ts";

const sort = [
  "set work_mem = '64kB'",
  "select count(*) from (select n from generate_series(1, 60000) n order by random()) s",
  "select pg_stat_force_next_flush()",
];
const small = "alter database fault set work_mem = '64kB'";
const teardown = ["alter database fault reset work_mem"];

export const cases: CheckCase = {
  thresholds: { temporaryBytesPerDay: 100_000 },
  faults: [
    {
      title: "sorts on disk",
      setup: ["select pg_stat_reset()", small, ...sort],
      teardown,
      finds: ["work_mem"],
      // Without a setting of the database, that of the server is enough for these sorts.
      isRevertible: false,
    },
  ],
  nearMisses: [
    {
      title: "few bytes a day",
      setup: ["select pg_stat_reset()", small, ...sort],
      teardown,
      thresholds: { temporaryBytesPerDay: 1e12 },
    },
    {
      title: "sorts on disk before work_mem was raised",
      setup: ["select pg_stat_reset()", "alter database fault set work_mem = '64MB'", ...sort],
      teardown,
    },
  ],
};
