import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

// Test files share the modules that a worker has loaded. This file loads its own copies and removes them at the end.
const mocked = vi.fn(readdir);
let bytesIn: typeof import("../../../../scripts/core/bytes-in.ts").bytesIn;

beforeAll(async () => {
  vi.resetModules();
  vi.doMock("node:fs/promises", async (original) => ({
    ...(await original<typeof import("node:fs/promises")>()),
    readdir: mocked,
  }));
  ({ bytesIn } = await import("../../../../scripts/core/bytes-in.ts"));
});
afterAll(() => {
  vi.doUnmock("node:fs/promises");
  vi.resetModules();
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

  it("of a folder is the size of all files in it", async () => {
    expect(await bytesIn(folder)).toBe(8195);
    expect(await bytesIn(join(folder, "empty"))).toBe(0);
  });

  it("of a file is its length", async () => {
    expect(await bytesIn(join(folder, "PG_VERSION"))).toBe(3);
  });

  it("of a link is 0, whatever its target", async () => {
    const links = join(folder, "empty");
    await symlink(join(folder, "base"), join(links, "folder"));
    await symlink(join(folder, "PG_VERSION"), join(links, "file"));
    await symlink(join(folder, "absent"), join(links, "nowhere"));
    expect(await bytesIn(links)).toBe(0);
    expect(await bytesIn(join(links, "folder"))).toBe(0);
  });

  it("of a missing path is 0", async () => {
    expect(await bytesIn(join(folder, "absent"))).toBe(0);
  });

  it("of a file or folder that disappears meanwhile is 0", async () => {
    mocked.mockImplementationOnce(async (path) => {
      await rm(join(String(path), "PG_VERSION"));
      return ["PG_VERSION", "base", "empty"] as never;
    });
    mocked.mockImplementationOnce(async (path) => {
      await rm(String(path), { recursive: true });
      return readdir(path) as never;
    });
    expect(await bytesIn(folder)).toBe(0);
  });

  it("of an unreadable path is an error", async () => {
    await expect(bytesIn(join(folder, "PG_VERSION", "below"))).rejects.toThrow("ENOTDIR");
  });
});
