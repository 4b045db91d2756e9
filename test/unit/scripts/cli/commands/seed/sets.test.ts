import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { setsOf } from "../../../../../../scripts/cli/commands/seed/sets.ts";
import type { CommandContext } from "../../../../../../scripts/cli/context.ts";
import type { Target } from "../../../../../../scripts/cli/target.ts";

let root: string;
afterEach(() => rm(root, { recursive: true, force: true }));

it("a seed set that database.json does not name is refused, and the error says where to name it", async () => {
  root = await mkdtemp(join(tmpdir(), "pgw-sets-"));
  await mkdir(join(root, "migrations", "shop", "seeds", "reference"), { recursive: true });
  await writeFile(join(root, "migrations", "shop", "database.json"), '{ "description": "A shop" }');
  const target = { database: "shop", label: "local/shop" } as Target;
  await expect(setsOf({ root } as CommandContext, { set: ["reference"] }, target)).rejects.toMatchObject({
    message: 'shop has no seed set "reference". It has none.',
    hint: 'Add a folder in migrations/shop/seeds to "seedSets" in migrations/shop/database.json.',
  });
});
