import type { CheckCase } from "../check-case.ts";

const sleep = "select pg_sleep(0.06)";

export const cases: CheckCase = {
  thresholds: { slowStatementMs: 50, slowStatementCalls: 2 },
  faults: [
    {
      title: "a statement that takes long each time",
      setup: ["create extension pg_stat_statements", "select pg_stat_statements_reset()", sleep, sleep],
      teardown: ["drop extension pg_stat_statements"],
      finds: ["<id>"],
      isWithoutFix: true,
    },
    {
      title: "more slow statements than are listed",
      setup: [
        "create extension pg_stat_statements",
        "select pg_stat_statements_reset()",
        ...Array.from({ length: 12 }, (_, columns) => `select pg_sleep(0.012)${", 1".repeat(columns)}`).flatMap(
          (statement) => [statement, statement],
        ),
      ],
      teardown: ["drop extension pg_stat_statements"],
      thresholds: { slowStatementMs: 12 },
      finds: [...Array<string>(10).fill("<id>"), "others"],
      isWithoutFix: true,
    },
  ],
  nearMisses: [
    {
      title: "a statement that took long once",
      setup: ["create extension pg_stat_statements", "select pg_stat_statements_reset()", sleep, "select pg_sleep(0)"],
      teardown: ["drop extension pg_stat_statements"],
      thresholds: { slowStatementMs: 55 },
    },
    {
      title: "a database without the extension",
      setup: [sleep, sleep],
      unknown: /pg_stat_statements is not installed/,
    },
  ],
};
