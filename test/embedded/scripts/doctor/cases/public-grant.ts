import type { CheckCase } from "../check-case.ts";

export const cases: CheckCase = {
  faults: [
    {
      title: "a schema in which every role can create",
      setup: ["grant create on schema shop to public"],
      finds: ["schema shop"],
    },
    {
      title: "a table that every role can read",
      setup: ["create table item (id int)", "grant select, insert on item to public"],
      finds: ["table shop.item"],
    },
    {
      title: "a column that every role can read",
      setup: ["create table item (id int)", "grant select (id) on item to public"],
      finds: ["column shop.item.id"],
    },
    {
      title: "a sequence that every role can use",
      setup: ["create sequence numbers", "grant usage on sequence numbers to public"],
      finds: ["table shop.numbers"],
    },
    {
      title: "a function with the owner's rights that every role can run",
      setup: ["create function act() returns int language sql security definer return 1"],
      finds: ["function shop.act()"],
    },
    {
      title: "a database to which every role can connect",
      setup: ["grant connect on database fault to public"],
      teardown: ["revoke connect on database fault from public"],
      finds: ["database fault"],
    },
  ],
  nearMisses: [
    { title: "an ordinary function", setup: ["create function act() returns int language sql return 1"] },
    { title: "a schema that every role can use", setup: ["grant usage on schema shop to public"] },
    { title: "a table of one other role", setup: ["create table item (id int)", "grant select on item to monitor"] },
  ],
};
