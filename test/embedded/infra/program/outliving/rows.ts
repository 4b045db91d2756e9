import { expect } from "vitest";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../changes.ts";
import { makeShop } from "../shop.ts";

/** Creates a shop that is up, with one row that no seed adds. */
export async function makeStockedShop(): Promise<Clone> {
  const clone = await makeShop();
  await clone.succeed("up");
  await clone.query("app", "insert into product values (3, 'cocoa', 2)");
  return clone;
}

/** Expects all rows, read with the stack's current connection. */
export async function expectStocked(clone: Clone): Promise<void> {
  expect(await clone.query("readonly", "select name from product order by id")).toEqual([
    { name: "tea" },
    { name: "coffee" },
    { name: "cocoa" },
  ]);
}

/** Runs `up` with the stack's previous settings. Expects that it recovers everything, and that no changes remain. */
export async function expectAdopted(clone: Clone): Promise<void> {
  await clone.succeed("up");
  await expectStocked(clone);
  expect(await changesOf(clone, "up")).toEqual([]);
  expect(await changesOf(clone, "refresh")).toEqual([]);
}
