import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mapText } from "../../../../../scripts/import/infer/map-text.ts";
import type { ImportMap } from "../../../../../scripts/import/map.ts";
import { cloneRoot } from "../../../../clone-root.ts";

const long = (name: string) => name.repeat(12);

const map: ImportMap = {
  tables: [
    { to: "teams", from: "Team", columns: { id: { from: "Id", key: "teams" }, name: "Name", from: "x", kind: "y" } },
    {
      to: "people",
      from: 'People "and" more',
      columns: {
        id: { from: "id", key: "people" },
        "full name": "FullName",
        é: "accent's",
        "1st": `"it's"`,
        is_active: { from: "isActive", as: { kind: "boolean", true: ["Yes", "y"], false: ["no"] } },
        state: { from: "state", as: { kind: "values", values: { A: "active", "not active": "off" } } },
        [long("column_")]: { from: long("field_"), as: { kind: "boolean", true: [long("yes")], false: [] } },
      },
    },
  ],
};

it.each(["ts", "mjs", "json"] as const)("writes a map as %s that Biome would format in the same way", (ending) => {
  const text = mapText({ map, unsure: ["People: a */ note"] }, ending);
  const biome = join(cloneRoot, "node_modules", ".bin", "biome");
  const args = ["format", `--stdin-file-path=migrations/shop/import/map.${ending}`];
  const { stdout, stderr } = spawnSync(biome, args, { cwd: cloneRoot, input: text, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(text).toBe(stdout);
  if (ending === "json") expect(JSON.parse(text)).toEqual(map);
});
