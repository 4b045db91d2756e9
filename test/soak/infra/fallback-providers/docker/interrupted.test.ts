import { describe } from "vitest";
import { dockerObjects } from "../../../../docker/docker-objects.ts";
import { sharedDockerFallbackProvider } from "../../../../docker/infra/fallback-providers/docker/fallback-provider.ts";
import { itIsAdoptedAfterKills } from "../../../../docker/infra/fallback-providers/docker/killed-creation.ts";

const objects = dockerObjects();
const plugin = sharedDockerFallbackProvider();

describe("a container left by an interrupted run", () => {
  itIsAdoptedAfterKills([20, 120, 400, 1_000], objects, plugin);
});
