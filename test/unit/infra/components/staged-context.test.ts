import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stageBuildContext } from "../../../../infra/components/staged-context.ts";

let root: string;
const folders = () => ({ images: join(root, "images"), staging: join(root, "staging") });
const stage = () => basename(stageBuildContext("server", folders()));
const staged = (name: string, path: string) => join(root, "staging", name, path);
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

/** Gives the context the file modes of a checkout with this umask. */
async function checkOut(umask: number): Promise<void> {
  const context = join(root, "images", "server");
  for (const folder of ["", "bin"]) await chmod(join(context, folder), 0o777 & ~umask);
  await chmod(join(context, "Dockerfile"), 0o666 & ~umask);
  await chmod(join(context, "bin/run"), 0o777 & ~umask);
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pgw-staged-"));
  await mkdir(join(root, "images", "server", "bin"), { recursive: true });
  await writeFile(join(root, "images", "server", "Dockerfile"), "FROM scratch\n");
  await writeFile(join(root, "images", "server", "bin", "run"), "#!/bin/sh\n");
  await symlink("run", join(root, "images", "server", "bin", "link"));
  await checkOut(0o022);
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("the copy of a build context", () => {
  it.each([0o002, 0o022, 0o027, 0o077])(
    "has the same name, contents and modes in a checkout with umask %o",
    async (umask) => {
      const name = stage();
      await rm(join(root, "staging"), { recursive: true });
      await checkOut(umask);
      expect(stage()).toBe(name);
      const modes = ["", "bin", "bin/run", "Dockerfile"].map((path) => modeOf(staged(name, path)));
      expect(await Promise.all(modes)).toEqual(["755", "755", "755", "644"]);
      expect(await readFile(staged(name, "bin/run"), "utf8")).toBe("#!/bin/sh\n");
      expect(await readlink(staged(name, "bin/link"))).toBe("run");
    },
  );

  it("has added files, and another name if one of them changes", async () => {
    const source = join(root, "program");
    await writeFile(source, "one");
    await chmod(source, 0o755);
    const stageWith = () => basename(stageBuildContext("server", folders(), { "bin/program": source }));
    const name = stageWith();
    expect(name).not.toBe(stage());
    expect(await readFile(staged(name, "bin/program"), "utf8")).toBe("one");
    expect(await modeOf(staged(name, "bin/program"))).toBe("755");
    await writeFile(staged(name, "bin/program"), "damaged");
    expect(stageWith()).toBe(name);
    expect(await readFile(staged(name, "bin/program"), "utf8")).toBe("one");
    await writeFile(source, "two");
    expect(stageWith()).not.toBe(name);
  });

  it("has the same modes under any umask of the run itself", async () => {
    const before = process.umask(0o077);
    try {
      expect(await modeOf(staged(stage(), "bin/run"))).toBe("755");
    } finally {
      process.umask(before);
    }
  });

  it.each([
    ["contents", () => writeFile(join(root, "images/server/bin/run"), "#!/bin/bash\n")],
    ["a file that its owner may no longer execute", () => chmod(join(root, "images/server/bin/run"), 0o655)],
    ["another file", () => writeFile(join(root, "images/server/more"), "")],
    ["an empty folder", () => mkdir(join(root, "images/server/empty"))],
  ])("gets another name for %s", async (_what, change) => {
    const before = stage();
    await change();
    expect(stage()).not.toBe(before);
  });

  it.each([
    ["changed", (copy: string) => writeFile(join(copy, "bin/run"), "other")],
    ["given other modes", (copy: string) => chmod(join(copy, "bin/run"), 0o600)],
    ["emptied", (copy: string) => rm(join(copy, "bin"), { recursive: true })],
    ["added to", (copy: string) => writeFile(join(copy, "more"), "")],
  ])("is created again after it was %s", async (_what, change) => {
    const name = stage();
    await change(staged(name, ""));
    expect(stage()).toBe(name);
    expect(await readFile(staged(name, "bin/run"), "utf8")).toBe("#!/bin/sh\n");
    expect(await modeOf(staged(name, "bin/run"))).toBe("755");
    expect((await readdir(staged(name, ""))).sort()).toEqual(["Dockerfile", "bin"]);
  });

  it("is deleted a day after its last use, as is what a killed run was writing", async () => {
    const former = stage();
    await writeFile(join(root, "images/server/bin/run"), "new");
    const name = stage();
    const half = `${former}.4194000-0a1b2c3d`;
    await mkdir(staged(half, ""));
    const other = "server-next-0123456789abcdef";
    await mkdir(staged(other, ""));
    expect(await readdir(join(root, "staging"))).toEqual(expect.arrayContaining([former, half, name, other]));
    const old = new Date(Date.now() - 25 * 60 * 60_000);
    for (const each of [former, half, other]) await utimes(staged(each, ""), old, old);
    stage();
    expect((await readdir(join(root, "staging"))).sort()).toEqual([name, other].sort());
  });
});
