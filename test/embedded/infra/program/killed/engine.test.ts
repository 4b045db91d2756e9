import { describe, it } from "vitest";
import { expectConverges } from "./converge.ts";
import { moments } from "./moments.ts";
import { victims } from "./victims.ts";

const { makingData, migrating, writingState } = moments;

describe("an up whose engine alone was killed converges after recover", () => {
  it.each([makingData, migrating, writingState])("while $name", (moment) => expectConverges(victims.engine, moment));
});
