import type { CheckCase } from "../check-case.ts";

const set = (value: string) => [
  `alter system set work_mem = '${value}'`,
  "select pg_reload_conf()",
  "select pg_sleep(0.2)",
];
const teardown = ["alter system reset work_mem", "select pg_reload_conf()"];

export const cases: CheckCase = {
  faults: [
    {
      title: "more memory for all sessions than the machine has",
      setup: set("500GB"),
      teardown,
      finds: ["work_mem"],
      isWithoutFix: true,
    },
  ],
  nearMisses: [{ title: "little memory for each session", setup: set("8MB"), teardown }],
};
