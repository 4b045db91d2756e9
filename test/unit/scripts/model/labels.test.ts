import { describe, expect, it } from "vitest";
import { labelsOf, labelsToFind } from "../../../../scripts/model/labels.ts";

describe("the labels of an object in a Docker engine", () => {
  const stack = { project: "shop", stack: "dev" };

  it("have the server only in stacks with several", () => {
    const labels = labelsOf({ ...stack, owner: "0123456789ab", role: "data" });
    expect(Object.keys(labels)).toEqual([
      "pgroundwork.owner",
      "pgroundwork.project",
      "pgroundwork.role",
      "pgroundwork.stack",
    ]);
    expect(labelsOf({ ...stack, owner: "0123456789ab", role: "data", server: "main" })).toEqual({
      ...labels,
      "pgroundwork.server": "main",
    });
  });

  it("find the objects of one server, or of the whole stack", () => {
    expect(labelsToFind({ ...stack, server: "main" })).toEqual([
      "pgroundwork.project=shop",
      "pgroundwork.server=main",
      "pgroundwork.stack=dev",
    ]);
    expect(labelsToFind(stack)).toEqual(["pgroundwork.project=shop", "pgroundwork.stack=dev"]);
  });
});
