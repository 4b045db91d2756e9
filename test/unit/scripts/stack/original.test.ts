import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimantOf, claimObjects, forgetClaim } from "../../../../scripts/stack/docker-claim.ts";
import { copyError, findOriginal } from "../../../../scripts/stack/original.ts";

describe("the original of a project directory with a Docker stack", () => {
  let folder: string;
  let original: string;
  let copy: string;
  let env: NodeJS.ProcessEnv;
  const state = ".pgroundwork/.pulumi/stacks/shop/dev.json";

  const objects = () => ({ home: join(folder, "data", "pgroundwork"), project: "shop", stack: "dev", owner: "abc" });
  const find = (root: string, stack = "dev") => findOriginal(root, stack, env);
  const stateOf = (owner: string) =>
    JSON.stringify({
      version: 3,
      checkpoint: {
        latest: {
          resources: [
            { urn: "u", type: "pgroundwork:index:DockerNames", outputs: { owner, prefix: "shop-dev" } },
            { urn: "v", type: "pgroundwork:components:DockerServer" },
          ],
        },
      },
    });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "original-"));
    original = join(folder, "a project's directory");
    copy = join(folder, "copy");
    env = { XDG_DATA_HOME: join(folder, "data") };
    await mkdir(join(original, ".pgroundwork/.pulumi/stacks/shop"), { recursive: true });
    await writeFile(join(original, "Pulumi.yaml"), "name: shop\nbackend:\n  url: file://./.pgroundwork\n");
    await writeFile(join(original, state), stateOf("abc"));
    await claimObjects(objects(), original);
    await cp(original, copy, { recursive: true });
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is found in a copy, with the files of both states", async () => {
    expect(await find(copy)).toEqual({
      clone: original,
      state: join(original, state),
      copiedState: join(copy, state),
    });
  });

  it("is named by the refusal, with commands that work as typed", async () => {
    const found = await find(copy);
    const { message, hint = "" } = copyError("dev", copy, found ?? expect.fail());
    expect(message).toContain(`belongs to the project directory ${original}, and ${copy} has a copy of its state`);
    const commands = hint.split("\n").filter((line) => line.startsWith("    "));
    expect(commands).toEqual([
      `    mv '${join(copy, state)}' '${join(copy, state)}.set-aside'`,
      `    mv '${join(original, state).replaceAll("'", "'\\''")}' '${join(original, state).replaceAll("'", "'\\''")}.set-aside'`,
    ]);
  });

  it("is the directory itself after each of the two commands", async () => {
    await rename(join(original, state), join(original, `${state}.set-aside`));
    expect(await find(copy)).toBeUndefined();
    await rename(join(original, `${state}.set-aside`), join(original, state));
    await rename(join(copy, state), join(copy, `${state}.set-aside`));
    expect(await find(copy)).toBeUndefined();
  });

  it("is found if its state is compressed", async () => {
    await writeFile(join(original, `${state}.gz`), gzipSync(stateOf("abc")));
    await rm(join(original, state));
    expect(await find(copy)).toMatchObject({ state: join(original, `${state}.gz`) });
  });

  it("is found if its state is damaged, because it may still be the owner", async () => {
    await writeFile(join(original, state), "{");
    expect(await find(copy)).toMatchObject({ clone: original });
  });

  it("is the directory itself, also by another path to it", async () => {
    expect(await find(original)).toBeUndefined();
    await symlink(original, join(folder, "link"));
    expect(await find(join(folder, "link"))).toBeUndefined();
    await claimObjects(objects(), join(folder, "link"));
    expect(claimantOf(objects())).toBe(original);
  });

  it("is the directory itself if it was moved", async () => {
    const moved = join(folder, "moved");
    await rename(original, moved);
    expect(await find(moved)).toBeUndefined();
    await claimObjects(objects(), moved);
    expect(claimantOf(objects())).toBe(moved);
    // The earlier copy is now a copy of the moved directory.
    expect(await find(copy)).toMatchObject({ clone: moved });
  });

  it("is the directory itself if another clone stands at the former path", async () => {
    const moved = join(folder, "moved");
    await rename(original, moved);
    await mkdir(original);
    expect(await find(moved)).toBeUndefined();
    await mkdir(join(original, ".pgroundwork/.pulumi/stacks/shop"), { recursive: true });
    await writeFile(join(original, state), stateOf("other"));
    expect(await find(moved)).toBeUndefined();
  });

  it("does not exist for a state outside the project directory, which all clones share", async () => {
    env.PULUMI_BACKEND_URL = "s3://team";
    expect(await find(copy)).toBeUndefined();
    await cp(join(copy, ".pgroundwork"), join(folder, "shared"), { recursive: true });
    env.PULUMI_BACKEND_URL = `file://${join(folder, "shared")}`;
    expect(await find(copy)).toBeUndefined();
  });

  it("is not known without a record, and after the objects were erased", async () => {
    await forgetClaim(objects());
    expect(await find(copy)).toBeUndefined();
    await mkdir(join(folder, "data/pgroundwork/docker-stacks"), { recursive: true });
    await writeFile(join(folder, "data/pgroundwork/docker-stacks/shop-dev-abc.json"), "{");
    expect(await find(copy)).toBeUndefined();
  });
});
