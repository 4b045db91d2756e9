import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cloneRoot } from "../../clone-root.ts";

it("no source file and folder of one directory have the same name", async () => {
  const clashes: string[] = [];
  for (const room of ["infra", "scripts"]) {
    for (const path of await readdir(join(cloneRoot, room), { recursive: true })) {
      const folder = join(cloneRoot, room, path.replace(/\.(ts|mjs)$/, ""));
      if (/\.(ts|mjs)$/.test(path) && existsSync(folder)) clashes.push(`${room}/${path}`);
    }
  }
  expect(clashes).toEqual([]);
});
