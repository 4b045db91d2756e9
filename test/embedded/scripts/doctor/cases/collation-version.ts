import type { CheckCase } from "../check-case.ts";

const table = `create table item (id int primary key, name text collate "de-x-icu")`;
const age = `update pg_collation set collversion = '1.0' where collname = 'de-x-icu'`;
const teardown = [`alter collation "de-x-icu" refresh version`];

export const cases: CheckCase = {
  faults: [
    {
      title: "an index that was built with another version of its collation",
      setup: [table, "create index item_name on item (name)", age],
      finds: [`pg_catalog."de-x-icu"`],
    },
    {
      title: "a database whose default collation has another version",
      setup: [table, "update pg_database set datcollversion = '1.0' where datname = 'fault'"],
      teardown: ["alter database fault refresh collation version"],
      finds: ["database fault"],
    },
  ],
  nearMisses: [{ title: "a changed collation that no index uses", setup: [table, age], teardown }],
};
