import { describe, expect, it } from "vitest";
import { ownerOf } from "../../../../scripts/docker/names.ts";

const clone = "/home/ana/my clone";

describe("the mark of a stack in a Docker engine", () => {
  const own = ownerOf(undefined, clone);

  it("is the clone's where its own folder keeps the state, whichever way that is said", () => {
    expect(own).toMatch(/^[0-9a-f]{12}$/);
    for (const backend of ["", "file://./.pgroundwork", "file:///home/ana/my%20clone/.pgroundwork"])
      expect(ownerOf(backend, clone), backend).toBe(own);
    expect(ownerOf(undefined, "/home/ana/other")).not.toBe(own);
    expect(ownerOf(undefined, `${clone}2`)).not.toBe(own);
  });

  it("is the backend's where that is shared: every clone has the same", () => {
    const shared = ownerOf("s3://states", clone);
    expect(shared).toBe(ownerOf("s3://states", "/srv/ci"));
    expect(new Set([own, shared, ownerOf("s3://others", clone), ownerOf("file:///srv/states", clone)]).size).toBe(4);
  });
});
