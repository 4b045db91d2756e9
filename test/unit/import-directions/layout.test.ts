import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cloneRoot } from "../../clone-root.ts";

it("no source file stands beside a folder of the same name", async () => {
  const beside: string[] = [];
  for (const room of ["infra", "scripts"]) {
    for (const path of await readdir(join(cloneRoot, room), { recursive: true })) {
      const folder = join(cloneRoot, room, path.replace(/\.(ts|mjs)$/, ""));
      if (/\.(ts|mjs)$/.test(path) && existsSync(folder)) beside.push(`${room}/${path}`);
    }
  }
  expect(beside).toEqual([]);
});
