import type { CheckCase } from "../check-case.ts";

const table = "create table item (id int primary key, parent int)";

export const cases: CheckCase = {
  faults: [
    {
      title: "a check that existing rows were not checked for",
      setup: [table, "alter table item add constraint positive check (id > 0) not valid"],
      finds: ["shop.item.positive"],
    },
    {
      title: "a foreign key that existing rows were not checked for",
      setup: [table, "alter table item add constraint to_parent foreign key (parent) references item not valid"],
      finds: ["shop.item.to_parent"],
    },
  ],
  nearMisses: [
    {
      title: "a constraint that was validated later",
      setup: [
        table,
        "alter table item add constraint positive check (id > 0) not valid",
        "alter table item validate constraint positive",
      ],
    },
  ],
};
