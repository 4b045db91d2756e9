import { describe, it } from "vitest";
import { expectConverges } from "./converge.ts";
import { moments } from "./moments.ts";
import { victims } from "./victims.ts";

const { makingRoles, migrating, seeding } = moments;
const { cli, plugin, postgresql } = victims;

// test/soak/infra/program/killed-at-points.test.ts has the other moments.
describe("an up of which one process was killed converges with the next up", () => {
  it.each([
    { victim: plugin, moment: seeding },
    { victim: postgresql, moment: makingRoles },
    { victim: cli, moment: migrating },
  ])("$victim.name while $moment.name", ({ victim, moment }) => expectConverges(victim, moment));
});
