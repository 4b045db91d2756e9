import { chmod, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contextDigest, readContext } from "../../../../../infra/fallback-providers/docker/build-context.ts";
import { writeBelow } from "../../../../write-below.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pgw-context-"));
  await write("Dockerfile", "FROM scratch\n");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (name: string, content: string, mode?: number) => writeBelow(folder, name, content, mode);
const digest = async (dockerfile = "Dockerfile") => contextDigest(await readContext(folder, dockerfile));

describe("a build context", () => {
  it("has the files that .dockerignore includes, in the same order on every machine", async () => {
    for (const name of ["b", "B", "a/z", "a.txt", "a/b/c", "out/x", "out/keep", "x.log", "deep/x.log"])
      await write(name, "");
    await mkdir(join(folder, "empty"));
    await write(".dockerignore", "# comment\nout/*\n!out/keep\n**/*.log\nDockerfile\n");
    expect(await readContext(folder, "Dockerfile")).toEqual({
      folder,
      dockerfile: "Dockerfile",
      files: [".dockerignore", "B", "Dockerfile", "a/b/c", "a/z", "a.txt", "b", "out/keep"],
      folders: ["a", "a/b", "deep", "empty", "out"],
    });
  });

  it("uses the ignore file of its own Dockerfile if there is one", async () => {
    await write("other.Dockerfile", "FROM scratch\n");
    await write("other.Dockerfile.dockerignore", "a\n");
    await write(".dockerignore", "b\n");
    await write("a", "");
    await write("b", "");
    expect((await readContext(folder, "other.Dockerfile")).files).toContain("b");
    expect((await readContext(folder, "other.Dockerfile")).files).not.toContain("a");
  });
});

describe("the digest of a build context", () => {
  it("changes with content, name, mode, link or Dockerfile, and only then", async () => {
    await write("a", "1");
    await symlink("a", join(folder, "link"));
    const before = await digest();
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    const changes: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
      ["content", () => write("a", "2"), () => write("a", "1")],
      ["mode", () => chmod(join(folder, "a"), 0o755), () => chmod(join(folder, "a"), 0o644)],
      ["name", () => write("b", "1"), () => rm(join(folder, "b"))],
      ["Dockerfile", () => write("Dockerfile", "FROM x\n"), () => write("Dockerfile", "FROM scratch\n")],
      [
        "link",
        async () => {
          await rm(join(folder, "link"));
          await symlink("b", join(folder, "link"));
        },
        async () => {
          await rm(join(folder, "link"));
          await symlink("a", join(folder, "link"));
        },
      ],
    ];
    for (const [what, change, back] of changes) {
      await change();
      expect(await digest(), what).not.toBe(before);
      await back();
      expect(await digest(), what).toBe(before);
    }
  });

  it("does not change with ignored files, times or empty folders", async () => {
    await write(".dockerignore", "*.log\n");
    const before = await digest();
    await write("x.log", "noise");
    await mkdir(join(folder, "empty"));
    expect(await digest()).toBe(before);
  });
});
