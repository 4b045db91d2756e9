import { once } from "node:events";
import { expect } from "vitest";
import { kill, type Victim, victims } from "../../../../embedded/infra/program/killed/victims.ts";
import { type DockerStack, makeDockerStack } from "../../../stack.ts";
import { bringUp, expectWhole } from "../../../whole.ts";
import { buildSteps, type DockerMoment } from "./moments.ts";

const dockerPlugin: Victim = {
  name: "the docker plugin",
  isOne: ({ program, args }) =>
    program === "pulumi-resource-docker" || args.some((arg) => arg.endsWith("airgap/docker/main.ts")),
};

/** Everything of a run: as a machine that loses its power, or a terminal that is closed. */
export const everything: Victim = {
  name: "everything",
  isOne: (entry) => [...Object.values(victims), dockerPlugin].some(({ isOne }) => isOne(entry)),
};

export const dockerVictims: readonly Victim[] = [...Object.values(victims), dockerPlugin, everything];

/** Kills a first `up` as a whole at a moment, and expects that what the messages name brings the stack up, with nothing left over. */
export async function expectConverges(moment: DockerMoment): Promise<void> {
  const shop = await makeDockerStack();
  await moment.prepare?.(shop);
  await killDuringUp(shop, everything, () => moment.reached(shop));
  await bringUp(shop);
  await expectWhole(shop);
  expect(await buildSteps(shop.stack)).toEqual([]);
}

/** Answers how many processes were hit. */
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
