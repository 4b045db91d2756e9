import { describe, expect, it } from "vitest";
import type { StackObjects } from "../../../../scripts/docker/stack-objects.ts";
import { unknownTo } from "../../../../scripts/docker/unknown.ts";

const container = "docker:index/container:Container";
const thing = (id: string, name: string, role = "postgres") => ({ id, name, role, running: true, holder: undefined });
const objects: StackObjects = {
  containers: [thing("new", "shop-postgres")],
  networks: [{ id: "net", name: "shop-network", role: "network" }],
  volumes: [{ id: "shop-data", name: "shop-data", role: "data" }],
};
const containersUnknownTo = (...resources: object[]) =>
  unknownTo(resources as Parameters<typeof unknownTo>[0], objects).containers.map(({ id }) => id);

describe("the Docker objects that a state does not know", () => {
  it("are all objects if the state is lost", () => {
    expect(unknownTo([], objects)).toEqual(objects);
  });

  it.each([
    ["of the same name", { outputs: { name: "shop-postgres" } }],
    ["of the same name and id", { id: "new", outputs: { name: "shop-postgres" } }],
    ["that is to be deleted", { id: "new", delete: true, outputs: { name: "shop-postgres" } }],
  ])("do not include a container with a resource %s", (_which, resource) => {
    expect(containersUnknownTo({ type: container, ...resource })).toEqual([]);
  });

  it.each([
    [
      "a replacement whose predecessor was deleted",
      { id: "old", pendingReplacement: true, outputs: { name: "shop-postgres" } },
    ],
    ["the successor of one that is to be deleted", { id: "old", delete: true, outputs: { name: "shop-postgres" } }],
    ["one with another name", { id: "old", outputs: { name: "shop-backup" } }],
  ])("include %s", (_which, resource) => {
    expect(containersUnknownTo({ type: container, ...resource })).toEqual(["new"]);
  });

  it("do not include temporary containers and restored volumes", () => {
    const scratch = thing("s", "shop-scratch", "scratch");
    const restored = { id: "r", name: "copy", role: "restored" };
    const nothing = { containers: [], networks: [], volumes: [] };
    expect(unknownTo([], { containers: [scratch], networks: [], volumes: [restored] })).toEqual(nothing);
  });
});
