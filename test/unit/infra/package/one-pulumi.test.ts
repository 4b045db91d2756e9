import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requireOnePulumi } from "../../../../infra/package/one-pulumi.ts";

let root: string;
const copyIn = (folder: string) => join(root, folder, "node_modules", "@pulumi", "pulumi");
const own = () => join(root, "node_modules", "pgroundwork", "dist", "pulumi.mjs");

async function install(folder: string): Promise<void> {
  await mkdir(copyIn(folder), { recursive: true });
  await writeFile(join(copyIn(folder), "package.json"), "{}");
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pgw one pulumi "));
  await mkdir(dirname(own()), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

describe("two copies of @pulumi/pulumi", () => {
  it("are refused with the path of each", async () => {
    await install("");
    await install("infra");
    expect(() => requireOnePulumi(join(root, "infra"), own())).toThrow(
      `Two copies of @pulumi/pulumi are installed. pgroundwork would use ${copyIn("")}, and the program uses ${copyIn("infra")}.`,
    );
  });

  it("are one if the package manager links them, or if a folder above has it", async () => {
    await install("");
    expect(() => requireOnePulumi(join(root, "infra"), own())).not.toThrow();
    await mkdir(dirname(copyIn("infra")), { recursive: true });
    await symlink(copyIn(""), copyIn("infra"));
    expect(() => requireOnePulumi(join(root, "infra"), own())).not.toThrow();
  });
});
