import { once } from "node:events";
import { expect } from "vitest";
import type { Clone } from "../../../clone.ts";
import { makeShop } from "../shop.ts";
import type { Moment } from "./moments.ts";
import { filesLeft, kill, pendingOperations, stillRunning, type Victim } from "./victims.ts";

/**
 * Kills a process of a first `up` at a given moment. Expects that the commands in its messages bring the stack up,
 * without leftovers.
 */
export async function expectConverges(victim: Victim, moment: Moment): Promise<void> {
  const clone = await makeShop({ ownPlugins: true });
  try {
    await moment.prepare?.(clone);
    const up = clone.start("up");
    const ended = once(up, "exit");
    await moment.reached(clone);
    expect(await kill(clone, victim), `${victim.name} did not run`).toBeGreaterThan(0);
    await ended;
    await clone.useHosts();
    await bringUp(clone);
    await expectWhole(clone);
  } finally {
    await clone.remove();
  }
}

/** Runs `up` like a user. If `up` names a recovery command, runs that first. */
export async function bringUp(clone: Clone): Promise<{ recovered: boolean }> {
  const up = await clone.pgw("up", "--wait", "60");
  if (up.code === 0) return { recovered: false };
  expect(up.stderr).toContain("Clean up what it left, then try again: `npm run pgw -- recover`");
  await clone.succeed("recover");
  await clone.succeed("up");
  return { recovered: true };
}

/** Expects the rows of the shop, and no leftovers of the killed run. */
export async function expectWhole(clone: Clone): Promise<void> {
  expect(await clone.query("readonly", "select name from product order by id")).toEqual([
    { name: "tea" },
    { name: "coffee" },
  ]);
  const again = await clone.succeed("up");
  expect(again.stdout).toContain("no changes");
  expect(again.stderr).not.toContain("interrupted");
  const looked = await clone.succeed("recover", "--dry-run", "--json");
  expect(JSON.parse(looked.stdout)).toEqual({ stack: "local", findings: [] });
  expect(await pendingOperations(clone)).toEqual([]);
  expect(await filesLeft(clone)).toEqual([]);
  expect(await stillRunning(clone)).toEqual([]);
}
