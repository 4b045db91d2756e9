import { once } from "node:events";
import { expect } from "vitest";
import { kill, type Victim, victims } from "../../../../embedded/infra/program/killed/victims.ts";
import { type DockerStack, makeDockerStack } from "../../../stack.ts";
import { bringUp, expectWhole } from "../../../whole.ts";
import { buildSteps, type DockerMoment } from "./moments.ts";

const dockerPlugin: Victim = {
  name: "the docker plugin",
  isOne: ({ program, args }) =>
    program === "pulumi-resource-docker" || args.some((arg) => arg.endsWith("fallback-providers/docker/main.ts")),
};

/** All processes of a run, as in a power failure or if the terminal is closed. */
export const everything: Victim = {
  name: "everything",
  isOne: (entry) => [...Object.values(victims), dockerPlugin].some(({ isOne }) => isOne(entry)),
};

export const dockerVictims: readonly Victim[] = [...Object.values(victims), dockerPlugin, everything];

/**
 * Kills all processes of a first `up` at a given moment. Expects that the commands in its messages bring the stack up,
 * without leftovers.
 */
export async function expectConverges(moment: DockerMoment): Promise<void> {
  const shop = await makeDockerStack({ ownPlugins: true });
  await moment.prepare?.(shop);
  await killDuringUp(shop, everything, () => moment.reached(shop));
  await shop.clone.useHosts();
  await bringUp(shop);
  await expectWhole(shop);
  expect(await buildSteps(shop.stack)).toEqual([]);
}

/** Kills processes of an `up` and returns their number. */
export async function killDuringUp(
  { clone, stack }: DockerStack,
  victim: Victim,
  reached: () => Promise<unknown>,
): Promise<number> {
  const up = clone.start("up", "--stack", stack);
  const ended = once(up, "exit");
  await reached();
  const hits = await kill(clone, victim);
  await ended;
  return hits;
}
