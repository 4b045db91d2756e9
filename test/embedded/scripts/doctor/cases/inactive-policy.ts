import type { CheckCase } from "../check-case.ts";

const table = ["create table item (id int primary key)", "create policy own on item using (id > 0)"];

export const cases: CheckCase = {
  faults: [{ title: "a policy on a table without row level security", setup: table, finds: ["shop.item"] }],
  nearMisses: [
    { title: "a policy that applies", setup: [...table, "alter table item enable row level security"] },
    {
      title: "row level security without a policy",
      setup: ["create table item (id int)", "alter table item enable row level security"],
    },
  ],
};
