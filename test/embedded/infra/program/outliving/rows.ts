import { expect } from "vitest";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../changes.ts";
import { makeShop } from "../shop.ts";

/** A shop that is up and has a row that no seed brings. */
export async function makeStockedShop(): Promise<Clone> {
  const clone = await makeShop();
  await clone.succeed("up");
  await clone.query("app", "insert into product values (3, 'cocoa', 2)");
  return clone;
}

/** Every row is there, whichever way the applications find it. */
export async function expectStocked(clone: Clone): Promise<void> {
  expect(await clone.query("readonly", "select name from product order by id")).toEqual([
    { name: "tea" },
    { name: "coffee" },
    { name: "cocoa" },
  ]);
}

/** `up` with the settings that the stack had takes everything back, and has nothing left to do then. */
export async function expectTakenBack(clone: Clone): Promise<void> {
  await clone.succeed("up");
  await expectStocked(clone);
  expect(await changesOf(clone, "up")).toEqual([]);
  expect(await changesOf(clone, "refresh")).toEqual([]);
}
