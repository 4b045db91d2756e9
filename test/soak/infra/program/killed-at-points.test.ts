import { describe, it } from "vitest";
import { expectConverges } from "../../../embedded/infra/program/killed/converge.ts";
import { moments } from "../../../embedded/infra/program/killed/moments.ts";
import { everything, victims } from "../../../embedded/infra/program/killed/victims.ts";

const { makingData, serverStarted, makingRoles, migrating, seeding, writingState } = moments;
const { engine, cli, plugin, postgresql } = victims;

/** Points at which each process is busy. `npm test` tests some of them. */
const points = [
  { victim: engine, at: [makingData, serverStarted, makingRoles, migrating, seeding, writingState] },
  { victim: cli, at: [makingData, serverStarted, makingRoles, migrating, seeding, writingState] },
  { victim: plugin, at: [makingData, serverStarted, migrating, seeding] },
  { victim: postgresql, at: [makingRoles] },
  { victim: everything, at: [serverStarted, migrating] },
];

describe("an up with one killed process", () => {
  it.each(points.flatMap(({ victim, at }) => at.map((moment) => ({ victim, moment }))))(
    "converges when $victim.name is killed while $moment.name",
    ({ victim, moment }) => expectConverges(victim, moment),
  );
});
