import { describe, expect, it } from "vitest";
import { memoryFault } from "../../../../infra/plan/container-memory.ts";

describe("the memory of a container", () => {
  it.each(["192MB", "24576", "196608kB", "0.1875 GB", "a lot"])("of 256 MB takes shared_buffers of %s", (value) => {
    expect(memoryFault(256, { shared_buffers: value })).toBeUndefined();
  });

  it("is held against nothing where shared_buffers is not set", () => {
    expect(memoryFault(256, { work_mem: "1GB" })).toBeUndefined();
  });

  it.each(["193MB", "1GB", "24577", "1TB"])("of 256 MB does not take shared_buffers of %s", (value) => {
    expect(memoryFault(256, { shared_buffers: value })).toBe(
      `shared_buffers is ${value}, and the container has 256 MB of memory, of which it may take 192 MB`,
    );
  });
});
