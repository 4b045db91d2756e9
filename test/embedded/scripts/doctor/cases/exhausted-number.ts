import type { CheckCase } from "../check-case.ts";

export const cases: CheckCase = {
  faults: [
    {
      title: "a serial column near its end",
      setup: ["create table item (id serial primary key)", "select setval('item_id_seq', 2000000000)"],
      finds: ["shop.item_id_seq"],
    },
    {
      title: "a bigint sequence of an integer column",
      setup: [
        "create sequence numbers",
        "create table item (id int primary key default nextval('numbers'))",
        "alter sequence numbers owned by item.id",
        "select setval('numbers', 1600000000)",
      ],
      finds: ["shop.numbers"],
    },
    {
      title: "a sequence of its own",
      setup: ["create sequence numbers as smallint", "select setval('numbers', 32000)"],
      finds: ["shop.numbers"],
    },
    {
      title: "a descending sequence",
      setup: ["create sequence numbers as smallint increment -1", "select setval('numbers', -32000)"],
      finds: ["shop.numbers"],
      // bigint ends elsewhere, and the old minimum is not its own limit.
      isRevertible: false,
    },
    {
      title: "an integer key whose numbers an application chooses",
      setup: ["create table item (id smallint primary key)", "insert into item values (31000)"],
      finds: ["shop.item.id"],
    },
  ],
  nearMisses: [
    { title: "a sequence half way", setup: ["create sequence numbers as smallint", "select setval('numbers', 16000)"] },
    {
      title: "a sequence that begins again",
      setup: ["create sequence numbers as smallint cycle", "select setval('numbers', 32000)"],
    },
    {
      title: "a wide key with the same number",
      setup: ["create table item (id bigserial primary key)", "select setval('item_id_seq', 2000000000)"],
    },
    { title: "a sequence that was never used", setup: ["create sequence numbers minvalue 100 maxvalue 101"] },
  ],
};
