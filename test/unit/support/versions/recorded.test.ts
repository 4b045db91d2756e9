import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAnnouncements } from "../../../support/versions/announced.ts";
import { versionFolder } from "../../../support/versions/places.ts";
import { recordedStacks } from "../../../support/versions/recorded-stack.ts";

describe("the recorded stacks of the previous version", () => {
  it("exist, and contain no key and no path of the machine that recorded them", async () => {
    const { previous } = await readAnnouncements();
    const folder = versionFolder(previous);
    expect((await readdir(folder)).toSorted()).toEqual([...recordedStacks].toSorted());
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const file of files.filter((each) => each.isFile())) {
      const text = await readFile(join(file.parentPath, file.name), "utf8");
      expect(text, file.name).not.toMatch(/PRIVATE KEY|"ciphertext"|\/(tmp|home|root)\//);
    }
  });
});
