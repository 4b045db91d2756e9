import { describe, it } from "vitest";
import { expectConverges } from "./converge.ts";
import { moments } from "./moments.ts";
import { victims } from "./victims.ts";

const { makingData, serverStarted, makingRoles, migrating, seeding, writingState } = moments;

describe("an up whose engine alone is killed by force converges after recover", () => {
  it.each([makingData, serverStarted, makingRoles, migrating, seeding, writingState])("while $name", (moment) =>
    expectConverges(victims.engine, moment),
  );
});
