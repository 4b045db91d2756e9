import { describe, it } from "vitest";
import { expectConverges } from "./converge.ts";
import { dockerMoments } from "./moments.ts";

const { buildingImage, initialising } = dockerMoments;

describe("a killed up of a Docker stack converges on the next up, or after the command that it prints", () => {
  it.each([buildingImage, initialising])("while $name", (moment) => expectConverges(moment));
});
