import { expect, it } from "vitest";
import { loadedByChecks } from "../loaded-by-checks.ts";

it("check and diff load no Docker client, because every preview starts the plugin", async () => {
  const config = { disableDockerDaemonCheck: "true" };
  expect(await loadedByChecks("docker", "docker", config)).toEqual({ types: 4, loaded: [] });
});
