import { describe, expect, it } from "vitest";
import { memoryFault } from "../../../../infra/plan/container-memory.ts";

describe("the memory of a container", () => {
  it.each(["192MB", "24576", "196608kB", "0.1875 GB", "a lot"])("of 256 MB accepts shared_buffers of %s", (value) => {
    expect(memoryFault(256, { shared_buffers: value })).toBeUndefined();
  });

  it("is not checked if shared_buffers is not set", () => {
    expect(memoryFault(256, { work_mem: "1GB" })).toBeUndefined();
  });

  it.each(["193MB", "1GB", "24577", "1TB"])("of 256 MB refuses shared_buffers of %s", (value) => {
    expect(memoryFault(256, { shared_buffers: value })).toBe(
      `shared_buffers is ${value}, but may be at most 192 MB of the container's 256 MB of memory`,
    );
  });
});
