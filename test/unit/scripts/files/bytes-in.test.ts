import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bytesIn } from "../../../../scripts/files/bytes-in.ts";

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return { ...real, readdir: vi.fn(real.readdir) };
});

describe("the size", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bytes-in-"));
    await mkdir(join(folder, "base", "1"), { recursive: true });
    await mkdir(join(folder, "empty"));
    await writeFile(join(folder, "PG_VERSION"), "17\n");
    await writeFile(join(folder, "base", "1", "1259"), "x".repeat(8192));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("of a folder is that of all files in it", async () => {
    expect(await bytesIn(folder)).toBe(8195);
    expect(await bytesIn(join(folder, "empty"))).toBe(0);
  });

  it("of a file is its own", async () => {
    expect(await bytesIn(join(folder, "PG_VERSION"))).toBe(3);
  });

  it("of a link is nothing, whatever it leads to", async () => {
    const links = join(folder, "empty");
    await symlink(join(folder, "base"), join(links, "folder"));
    await symlink(join(folder, "PG_VERSION"), join(links, "file"));
    await symlink(join(folder, "absent"), join(links, "nowhere"));
    expect(await bytesIn(links)).toBe(0);
    expect(await bytesIn(join(links, "folder"))).toBe(0);
  });

  it("of what is not there is nothing", async () => {
    expect(await bytesIn(join(folder, "absent"))).toBe(0);
  });

  it("of what goes while it is counted is nothing: a file, and a folder that was just seen", async () => {
    vi.mocked(readdir).mockImplementationOnce(async (path) => {
      await rm(join(String(path), "PG_VERSION"));
      return ["PG_VERSION", "base", "empty"] as never;
    });
    vi.mocked(readdir).mockImplementationOnce(async (path) => {
      await rm(String(path), { recursive: true });
      return readdir(path) as never;
    });
    expect(await bytesIn(folder)).toBe(0);
  });

  it("of what cannot be looked at is an error", async () => {
    await expect(bytesIn(join(folder, "PG_VERSION", "below"))).rejects.toThrow("ENOTDIR");
  });
});
