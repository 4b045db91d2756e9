import { expect, it } from "vitest";
import { changedInputs } from "../../../../../infra/provider/inputs/changed-inputs.ts";

it("changed inputs are those that were added, removed or differ in depth", () => {
  const old = { same: { a: [1] }, gone: 1, other: { a: 1 }, was: undefined };
  const news = { same: { a: [1] }, other: { a: 2 }, came: 1 };
  expect(changedInputs(old, news)).toEqual([
    { path: "gone", kind: "delete" },
    { path: "other", kind: "update" },
    { path: "came", kind: "add" },
  ]);
});

it("changed inputs do not include internal and excluded ones", () => {
  expect(changedInputs({ __defaults: [], kept: 1 }, { __defaults: ["x"], kept: 2 }, ["kept"])).toEqual([]);
});
