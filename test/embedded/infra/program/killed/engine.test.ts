import { describe, it } from "vitest";
import { expectConverges } from "./converge.ts";
import { moments } from "./moments.ts";
import { victims } from "./victims.ts";

const { writingState } = moments;

// test/soak/infra/program/killed-at-points.test.ts has the other moments.
describe("an up whose engine alone was killed converges after recover", () => {
  it(`while ${writingState.name}`, () => expectConverges(victims.engine, writingState));
});
