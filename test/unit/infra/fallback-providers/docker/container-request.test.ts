import { describe, expect, it } from "vitest";
import { createRequest, updateRequest } from "../../../../../infra/fallback-providers/docker/container-request.ts";

const megabyte = 2 ** 20;

describe("the memory limits of a container", () => {
  const requests = (wanted: object) => [
    createRequest({ name: "c", image: "i", ...wanted }).HostConfig,
    updateRequest({ ...wanted }),
  ];

  it.each([
    ["twice the memory without memorySwap, as the engine chooses", undefined, 128],
    ["the memory if memorySwap equals it, which means no swap", 64, 64],
    ["the sum of both with a larger memorySwap", 96, 96],
  ])("are %s", (_, memorySwap, expected) => {
    for (const request of requests({ memory: 64, ...(memorySwap === undefined ? {} : { memorySwap }) }))
      expect(request).toMatchObject({ Memory: 64 * megabyte, MemorySwap: expected * megabyte });
  });

  it("have no limit of swap with memorySwap -1", () => {
    for (const request of requests({ memory: 64, memorySwap: -1 })) expect(request).toMatchObject({ MemorySwap: -1 });
  });

  it("are absent without memory", () => {
    for (const request of requests({})) expect(request).not.toHaveProperty("MemorySwap");
  });
});
