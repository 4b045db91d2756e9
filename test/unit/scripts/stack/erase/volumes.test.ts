import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import { findVolumes } from "../../../../../scripts/stack/erase/volumes.ts";

describe("the sizes of a stack's volumes", () => {
  const stack = { project: "pgroundwork", stack: "dev", owners: ["me"] };
  const marked = [{ id: "data", name: "data", role: "data" }];
  const sizes = { Volumes: [{ Name: "data", UsageData: { Size: 7 } }] };

  it("are read again if the engine measures them for another client", async () => {
    const answers = [new Error("(HTTP code 400) - a disk usage operation is already running"), sizes];
    const df = async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const found = await findVolumes({ df } as unknown as Docker, stack, marked, []);
    expect(found).toEqual([{ ...marked[0], bytes: 7 }]);
  });

  it("are not read again after another error", async () => {
    let asked = 0;
    const df = async () => {
      asked += 1;
      throw new Error("no space");
    };
    await expect(findVolumes({ df } as unknown as Docker, stack, marked, [])).rejects.toThrow("no space");
    expect(asked).toBe(1);
  });
});
