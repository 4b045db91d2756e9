import type { CheckCase } from "../check-case.ts";

export const cases: CheckCase = {
  faults: [{ title: "an unlogged table", setup: ["create unlogged table item (id int)"], finds: ["shop.item"] }],
  nearMisses: [{ title: "a temporary table", setup: ["create temporary table item (id int)"] }],
};
