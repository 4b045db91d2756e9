import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { stillRunning } from "../embedded/infra/program/killed/victims.ts";
import { inEngine } from "./in-engine.ts";
import type { DockerStack } from "./stack.ts";

/** What a person does after a run that was killed: run `up` again, and first the command that it names, where it names one. */
export async function bringUp(shop: DockerStack): Promise<{ recovered: boolean }> {
  const up = await shop.pgw("up", "--wait", "60");
  if (up.code === 0) return { recovered: false };
  expect(up.stderr).toContain(
    `Take back what it left, then try again: \`npm run pgw -- recover --stack ${shop.stack}\``,
  );
  await shop.succeed("recover");
  await shop.succeed("up");
  return { recovered: true };
}

/** The shop's rows are there, and in the engine, the state and the process list nothing beside what an `up` leaves. */
export async function expectWhole(shop: DockerStack, rows: readonly string[] = ["tea", "coffee"]): Promise<void> {
  const found = await shop.query<{ name: string }>("readonly", "select name from product order by id");
  expect(found.map(({ name }) => name)).toEqual(rows);
  const again = await shop.succeed("up");
  expect(again.stdout).toMatch(/^no changes/m);
  expect(again.stderr).not.toContain("interrupted");
  const looked = await shop.succeed("recover", "--dry-run", "--json");
  expect(JSON.parse(looked.stdout)).toEqual({ stack: shop.stack, findings: [] });
  expect(await pendingOperations(shop)).toEqual([]);
  expect(await stillRunning(shop.clone)).toEqual([]);
  expect(await inEngine(shop.prefix)).toEqual(whole(shop));
}

/** What there is in the engine of a stack that is up. */
export function whole({ prefix }: DockerStack): string[] {
  return [
    `container ${prefix}-postgres`,
    `network ${prefix}-network`,
    ...["config", "data", "run"].map((role) => `volume ${prefix}-${role}`),
  ];
}

async function pendingOperations({ clone, stack }: DockerStack): Promise<unknown[]> {
  const file = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", `${stack}.json`);
  const { checkpoint } = JSON.parse(await readFile(file, "utf8")) as {
    checkpoint: { latest: { pending_operations?: unknown[] } };
  };
  return checkpoint.latest.pending_operations ?? [];
}
