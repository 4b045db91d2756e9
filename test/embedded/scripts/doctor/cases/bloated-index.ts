import type { CheckCase } from "../check-case.ts";

const table = [
  "create table item (id int primary key, name text)",
  "insert into item select n, 'item ' || n from generate_series(1, 40000) n",
];

export const cases: CheckCase = {
  thresholds: { bloatedIndexBytes: 300_000 },
  faults: [
    {
      title: "an index most of whose rows were deleted",
      setup: [...table, "delete from item where id % 20 <> 0", "vacuum analyze item"],
      finds: ["shop.item_pkey"],
    },
  ],
  nearMisses: [
    {
      title: "an index that is full",
      setup: [...table, "create index on item (name)", "create index on item (lower(name))", "vacuum analyze item"],
    },
    {
      title: "an index whose columns were never analyzed",
      setup: [...table, "delete from item where id % 20 <> 0", "vacuum item"],
      unknown: /the size of shop\.item_pkey cannot be estimated/,
    },
  ],
};
