import type { CheckCase } from "../check-case.ts";

export const cases: CheckCase = {
  faults: [
    {
      title: "a table without a key",
      setup: ["create table item (id int)", "insert into item values (1), (1)"],
      finds: ["shop.item"],
    },
    {
      title: "a unique index on a column that can be null",
      setup: ["create table item (id int unique)"],
      finds: ["shop.item"],
    },
  ],
  nearMisses: [
    { title: "a primary key", setup: ["create table item (id int primary key)"] },
    {
      title: "a unique index on a column that is not null",
      setup: ["create table item (id int not null)", "create unique index on item (id)"],
    },
    { title: "a temporary table", setup: ["create temporary table item (id int)"] },
  ],
};
