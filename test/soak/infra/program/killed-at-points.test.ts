import { describe, it } from "vitest";
import { expectConverges } from "../../../embedded/infra/program/killed/converge.ts";
import { moments } from "../../../embedded/infra/program/killed/moments.ts";
import { victims } from "../../../embedded/infra/program/killed/victims.ts";

const { makingData, serverStarted, makingRoles, migrating, seeding, writingState } = moments;
const { engine, cli, plugin, postgresql } = victims;

/** The points at which each process is at work; `npm test` has some of them. */
const points = [
  { victim: engine, at: [makingData, serverStarted, makingRoles, migrating, seeding, writingState] },
  { victim: cli, at: [makingData, serverStarted, makingRoles, migrating, seeding, writingState] },
  { victim: plugin, at: [makingData, serverStarted, migrating, seeding] },
  { victim: postgresql, at: [makingRoles] },
];

describe("an up of which one process is killed by force converges", () => {
  it.each(points.flatMap(({ victim, at }) => at.map((moment) => ({ victim, moment }))))(
    "$victim.name while $moment.name",
    ({ victim, moment }) => expectConverges(victim, moment),
  );
});
