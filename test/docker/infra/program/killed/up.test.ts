import { describe, it } from "vitest";
import { expectConverges } from "./converge.ts";
import { dockerMoments } from "./moments.ts";

const { buildingImage, initialising } = dockerMoments;

describe("an up that is killed by force as a whole converges with the next one, or after the command that it names", () => {
  it.each([buildingImage, initialising])("while $name", (moment) => expectConverges(moment));
});
