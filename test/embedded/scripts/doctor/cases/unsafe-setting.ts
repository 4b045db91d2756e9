import type { CheckCase } from "../check-case.ts";

const set = (name: string, value: string) => [
  `alter system set ${name} = ${value}`,
  "select pg_reload_conf()",
  "select pg_sleep(0.2)",
];
const reset = (name: string) => [`alter system reset ${name}`, "select pg_reload_conf()", "select pg_sleep(0.2)"];

export const cases: CheckCase = {
  faults: [
    {
      title: "a server that does not wait for its disk",
      setup: set("fsync", "off"),
      teardown: reset("fsync"),
      finds: ["fsync"],
    },
    {
      title: "a server that empties damaged pages",
      setup: set("zero_damaged_pages", "on"),
      teardown: reset("zero_damaged_pages"),
      finds: ["zero_damaged_pages"],
    },
    {
      title: "autovacuum that is off",
      setup: set("autovacuum", "off"),
      teardown: reset("autovacuum"),
      finds: ["autovacuum"],
    },
    {
      title: "a setting that waits for a restart",
      setup: set("max_connections", "77"),
      teardown: reset("max_connections"),
      finds: ["max_connections"],
      isWithoutFix: true,
    },
  ],
  nearMisses: [
    {
      title: "commits that do not wait for the disk, which lose no consistency",
      setup: set("synchronous_commit", "off"),
      teardown: reset("synchronous_commit"),
    },
  ],
};
