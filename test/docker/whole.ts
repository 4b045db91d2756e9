import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { stillRunning } from "../embedded/infra/program/killed/victims.ts";
import { inEngine } from "./in-engine.ts";
import type { DockerStack } from "./stack.ts";

/** Runs `up` after a killed run, like a user. If `up` names a recovery command, runs that first. */
export async function bringUp(shop: DockerStack): Promise<{ recovered: boolean }> {
  const up = await shop.pgw("up", "--wait", "60");
  if (up.code === 0) return { recovered: false };
  expect(up.stderr).toContain(
    `Clean up what it left, then try again: \`npm run pgw -- recover --stack ${shop.stack}\``,
  );
  await shop.succeed("recover");
  await shop.succeed("up");
  return { recovered: true };
}

/**
 * Expects the rows of the shop. Expects nothing in the engine, the state and the process list except what an `up`
 * leaves.
 */
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

/** Lists the Docker objects of a stack that is up. */
export function whole({ prefix }: DockerStack): string[] {
  return [
    `container ${prefix}-postgres`,
    `network ${prefix}-network`,
    ...["config", "data", "log", "run"].map((role) => `volume ${prefix}-${role}`),
  ];
}

async function pendingOperations({ clone, stack }: DockerStack): Promise<unknown[]> {
  const file = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", `${stack}.json`);
  const { checkpoint } = JSON.parse(await readFile(file, "utf8")) as {
    checkpoint: { latest: { pending_operations?: unknown[] } };
  };
  return checkpoint.latest.pending_operations ?? [];
}
