import type { CheckCase } from "../check-case.ts";

const prepare = [
  "create table item (id int)",
  "begin",
  "insert into item values (1)",
  "prepare transaction 'it''s forgotten'",
];

export const cases: CheckCase = {
  thresholds: { preparedSeconds: 0 },
  faults: [
    {
      title: "a transaction that was prepared and not finished",
      setup: prepare,
      finds: ["fault: it's forgotten"],
    },
  ],
  nearMisses: [
    {
      title: "a transaction that was prepared just now",
      setup: prepare,
      teardown: ["rollback prepared 'it''s forgotten'"],
      thresholds: { preparedSeconds: 60 },
    },
  ],
};
