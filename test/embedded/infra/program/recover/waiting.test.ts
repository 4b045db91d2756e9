import { afterAll, beforeAll, expect, it } from "vitest";
import type { Clone } from "../../../clone.ts";
import { holdMigrations, makeShop } from "../shop.ts";

let clone: Clone;

beforeAll(async () => {
  clone = await makeShop();
});
afterAll(() => clone?.remove());

it("up --wait names the run that holds the stack, waits for it, and gives up after the given time", async () => {
  const migrations = await holdMigrations(clone);
  const first = clone.pgw("up");
  await migrations.begun();
  const waiting = clone.pgw("up", "--wait");
  // Long enough for the other one to begin, also on a busy machine.
  const impatient = await clone.pgw("up", "--wait", "5");
  await migrations.release();
  const patient = await waiting;
  expect(impatient.code).toBe(1);
  expect(impatient.stderr).toContain("Wait for it to end, then try again; `up --wait` waits by itself.");
  expect((await first).code).toBe(0);
  expect(patient.code, patient.stderr).toBe(0);
  expect(patient.stderr).toMatch(
    /^Another run works on stack "local": \S+@\S+ \(pid \d+\) since \S+\. Waiting for it to end\.$/m,
  );
  expect(patient.stdout).toContain("no changes");
});

it("up --wait refuses a time that is not a number", async () => {
  const { code, stderr } = await clone.pgw("up", "--wait", "soon");
  expect(code).toBe(2);
  expect(stderr).toContain("expected a whole number of seconds.");
});
