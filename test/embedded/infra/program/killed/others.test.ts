import { describe, it } from "vitest";
import { expectConverges } from "./converge.ts";
import { moments } from "./moments.ts";
import { victims } from "./victims.ts";

const { migrating, seeding } = moments;
const { cli, plugin } = victims;

// test/soak/infra/program/killed-at-points.test.ts has the other processes and moments.
describe("an up of which one process was killed converges with the next up", () => {
  it.each([
    { victim: plugin, moment: seeding },
    { victim: cli, moment: migrating },
  ])("$victim.name while $moment.name", ({ victim, moment }) => expectConverges(victim, moment));
});
