import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import type { FallbackProviderProcess } from "../../../../fallback-provider-process.ts";
import type { DockerObjects } from "../../../docker-objects.ts";
import { image, ownerLabels, startDockerFallbackProvider } from "./fallback-provider.ts";

/**
 * Defines a test for each delay: a container is adopted if the plugin that creates it is killed after that time.
 *
 * @param delaysMs time in ms between the start of the creation and the kill
 */
export function itIsAdoptedAfterKills(
  delaysMs: readonly number[],
  objects: DockerObjects,
  plugin: FallbackProviderProcess,
): void {
  const { docker } = objects;
  it.each(delaysMs)("is adopted if the plugin was killed %i ms into the creation", async (delay) => {
    const network = await plugin.create("Network", "n", { name: objects.name("net"), labels: ownerLabels("dev") });
    const inputs = {
      ...{ image, command: ["sleep", "600"], init: true, labels: ownerLabels("dev") },
      name: objects.name("killed"),
      networksAdvanced: [{ name: network.outputs.name, aliases: ["db"] }],
      uploads: [{ file: "/etc/x", content: "whole" }],
      healthcheck: { tests: ["CMD-SHELL", "test -f /etc/x"], interval: "300ms" },
      wait: true,
    };
    const victim = await startDockerFallbackProvider();
    const create = victim.create("Container", "c", inputs).catch(() => undefined);
    await sleep(delay);
    await victim.kill();
    await create;
    const made = await plugin.create("Container", "c", inputs);
    expect(await plugin.diff(made, inputs)).toEqual([]);
    expect((await docker.getContainer(made.id).inspect()).State.Health?.Status).toBe("healthy");
    expect(await docker.listContainers({ all: true, filters: { name: [inputs.name] } })).toHaveLength(1);
    await plugin.delete(made);
    await plugin.delete(network);
  });
}
