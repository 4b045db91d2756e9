import type { CheckCase } from "../check-case.ts";

const teardown = ["select lo_unlink(oid) from pg_largeobject_metadata"];

export const cases: CheckCase = {
  faults: [
    {
      title: "a large object that no row refers to",
      setup: [
        "create table item (id int, picture oid)",
        "insert into item values (1, lo_create(0))",
        "select lo_create(0)",
      ],
      teardown,
      finds: ["large objects"],
      isWithoutFix: true,
    },
    {
      title: "large objects in a database without columns for them",
      setup: ["select lo_create(0)"],
      teardown,
      finds: ["large objects"],
      isWithoutFix: true,
    },
  ],
  nearMisses: [
    {
      title: "a large object of a row",
      setup: ["create table item (picture oid)", "insert into item values (lo_create(0))"],
      teardown,
    },
  ],
};
