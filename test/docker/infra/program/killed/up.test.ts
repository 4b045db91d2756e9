import { describe, it } from "vitest";
import { expectConverges } from "./converge.ts";
import { dockerMoments } from "./moments.ts";

const { buildingImage } = dockerMoments;

// test/soak/infra/program/docker-killed-up.test.ts has the other moments.
describe("a killed up of a Docker stack converges on the next up, or after the command that it prints", () => {
  it(`while ${buildingImage.name}`, () => expectConverges(buildingImage));
});
