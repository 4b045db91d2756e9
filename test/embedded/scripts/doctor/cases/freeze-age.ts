import type { CheckCase } from "../check-case.ts";

/** Uses up transaction ids: each block with a handler is a subtransaction, and one that writes needs an id. */
const burn = `do $$ begin for i in 1..3000 loop begin insert into item values (i); exception when others then null; end; end loop; end $$`;

export const cases: CheckCase = {
  faults: [
    {
      title: "a database whose oldest transaction id is too old",
      setup: ["create table item (id int primary key)", burn],
      thresholds: { freezeWarningAge: 3_000 },
      finds: ["fault"],
      // Transaction ids are of the whole server.
      othersToo: true,
    },
  ],
  nearMisses: [{ title: "the same age below the limit", setup: ["create table item (id int primary key)", burn] }],
};
