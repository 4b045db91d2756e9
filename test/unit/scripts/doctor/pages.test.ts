import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checks } from "../../../../scripts/doctor/all-checks.ts";
import { cloneRoot } from "../../../clone-root.ts";

const folder = join(cloneRoot, "scripts/doctor/checks");

describe("doctor's checks", () => {
  it("have a query and a page of the same name, and nothing else is there", async () => {
    const stems = checks.flatMap(({ name }) => [`${name}.md`, `${name}.ts`]).sort();
    expect((await readdir(folder)).sort()).toEqual(stems);
  });

  it.each(checks.map(({ name, title }) => [name, title] as const))("%s has a complete page", async (name, title) => {
    const page = await readFile(join(folder, `${name}.md`), "utf8");
    const headings = page.split("\n").filter((line) => line.startsWith("#"));
    const first = `# ${name}: ${title.charAt(0).toLowerCase()}${title.slice(1)}`;
    expect(headings).toEqual([first, "## What is not reported", "## What to do"]);
  });
});
