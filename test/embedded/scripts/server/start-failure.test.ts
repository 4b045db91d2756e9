import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { OperationError } from "../../../../scripts/errors/operation-error.ts";
import { readConfiguration } from "../../../../scripts/server/configuration.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { ownServers } from "./own-servers.ts";

const ownServer = ownServers();

describe("a setting that PostgreSQL does not take", () => {
  it.each([
    [
      "a value",
      { shared_buffers: "much" },
      'PostgreSQL refuses a setting: invalid value for parameter "shared_buffers": "much"',
    ],
    [
      "a name",
      { shard_buffers: "16MB" },
      'PostgreSQL refuses a setting: unrecognized configuration parameter "shard_buffers"',
    ],
    [
      "a unit",
      { work_mem: "8XB" },
      'PostgreSQL refuses a setting: invalid value for parameter "work_mem": "8XB"\nValid units for this parameter are "B", "kB", "MB", "GB", and "TB".',
    ],
  ])("is refused by %s before anything is written, and the server runs on", async (_, wrong, message) => {
    const own = ownServer();
    const first = await own.ensure();
    const before = await readConfiguration(own.directory.data);
    await expect(own.ensure({ settings: { ...own.spec.settings, ...wrong } })).rejects.toMatchObject({
      message,
      remedy: "Correct it in pgroundwork:postgresql (pulumi config). The server was left as it was.",
    });
    expect(await readConfiguration(own.directory.data)).toBe(before);
    expect(await findPostmaster(own.directory.data)).toMatchObject({ pid: first.pid });
  });
});

describe("a server that does not start", () => {
  it("says so with the end of its log, and where the rest is", async () => {
    const own = ownServer();
    const first = await own.ensure();
    await own.stop();
    await appendFile(join(own.directory.data, "pg_hba.conf"), "\nnonsense here\n");
    const error = await own.ensure({ port: first.port }).then(
      () => undefined,
      (failure: OperationError) => failure,
    );
    expect(error?.message).toMatch(`The server on ${own.directory.data} did not start. The end of its log:\n`);
    expect(error?.message).toContain("FATAL:  could not load ");
    expect(error?.message.split("\n").length).toBeLessThanOrEqual(13);
    expect(error?.remedy).toBe(`The whole log is in ${own.directory.log}. The data is as it was.`);
  });
});

describe("a folder that the server's account may not enter", () => {
  it.skipIf(process.getuid?.() !== 0)("is named, with what to do (needs root)", async () => {
    const own = ownServer();
    await mkdir(own.spec.folder, { recursive: true, mode: 0o700 });
    const dataDirectory = join(own.spec.folder, "closed", "data");
    await mkdir(join(own.spec.folder, "closed"), { mode: 0o700 });
    await expect(own.ensure({ dataDirectory })).rejects.toMatchObject({
      message: expect.stringMatching(/^initdb failed in .*Permission denied$/s),
      remedy: expect.stringContaining("let others enter it (chmod o+x)"),
    });
  });

  it("that cannot be made is named, with what to do", async () => {
    const own = ownServer();
    await mkdir(own.spec.folder, { recursive: true });
    const file = join(own.spec.folder, "file");
    await writeFile(file, "");
    await expect(own.ensure({ dataDirectory: join(file, "below", "data") })).rejects.toThrow(
      `Could not tell what is in the data directory ${join(file, "below", "data")}: ENOTDIR`,
    );
  });
});
