import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { containerSettings } from "../../../../../infra/plan/container.ts";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { checkSettingsInImage } from "../../../../../scripts/docker/server/check-settings.ts";
import { hostileSettings } from "../../../../hostile-settings.ts";
import { postgresImage } from "../../../postgres-image.ts";

const docker = dockerClient();
const owner = { project: "test", stack: "test", owner: randomBytes(6).toString("hex") };

/** Lists the states of this test's containers. */
const containers = async (): Promise<string[]> => {
  const filters = { label: [`pgroundwork.owner=${owner.owner}`] };
  return (await docker.listContainers({ all: true, filters })).map(({ State }) => State);
};

describe("a check of settings in an image", () => {
  let image: string;
  const check = (settings: Record<string, string>) =>
    checkSettingsInImage(
      docker,
      { image, owner, memoryMb: 256, shmSizeMb: 64 },
      { ...containerSettings, shared_buffers: "16MB", ...settings },
    );

  beforeAll(async () => {
    image = await postgresImage();
  });
  afterAll(async () => expect(await containers()).toEqual([]));

  it.each<[string, Record<string, string>, string]>([
    [
      "too many reserved connections",
      { superuser_reserved_connections: "10", max_connections: "12" },
      '"superuser_reserved_connections" (10) plus "reserved_connections" (5) must be less than "max_connections" (12)',
    ],
    [
      "a contradiction, with a log that hides messages",
      { wal_level: "minimal", log_min_messages: "panic", log_min_error_statement: "panic" },
      'WAL streaming ("max_wal_senders" > 0) requires "wal_level" to be "replica" or "logical"',
    ],
    [
      "WAL archiving with too little WAL",
      { wal_level: "minimal", max_wal_senders: "0", archive_mode: "on" },
      'WAL archival cannot be enabled when "wal_level" is "minimal"',
    ],
    [
      "a library that the server cannot load",
      { shared_preload_libraries: "/dev/null" },
      'could not load library "/dev/null"',
    ],
    [
      "a library that no session can load",
      { session_preload_libraries: "no_such_library" },
      'could not access file "no_such_library"',
    ],
    [
      "more huge pages than the machine has",
      { huge_pages: "on", shared_buffers: "900GB" },
      "could not map anonymous shared memory",
    ],
  ])("refuses settings with which the server does not start, with PostgreSQL's message: %s", async (_, wrong, said) => {
    await expect(check(wrong)).rejects.toMatchObject({
      name: "OperationError",
      message: expect.stringContaining(`PostgreSQL does not start with these settings: ${said}`),
      hint: expect.stringContaining("The server was not changed."),
    });
  });

  it("refuses a synchronous standby, because a server that does not exist yet has none", async () => {
    await expect(check({ synchronous_standby_names: "*" })).rejects.toThrow(
      "Every commit on the server would wait without a time limit for a synchronous standby that is not connected",
    );
    await check({ synchronous_standby_names: "*", synchronous_commit: "local" });
  });

  it("refuses a library that the image does not have by the setting's name", async () => {
    await expect(check({ shared_preload_libraries: "pg_stat_statements, no_such_library" })).rejects.toThrow(
      "shared_preload_libraries names the library no_such_library, which is not in the image",
    );
  });

  it("accepts settings that only look wrong from outside the server", async () => {
    const settings = { ...hostileSettings, archive_mode: "on", archive_command: "false", statement_timeout: "1ms" };
    await check({ ...settings, shared_preload_libraries: "pg_stat_statements, pgaudit", wal_level: "logical" });
  });

  it("leaves no container behind if its process is killed", async () => {
    const file = join(import.meta.dirname, "checking-process.ts");
    const child = spawn(process.execPath, [file, image, owner.owner], { stdio: ["ignore", "inherit", "inherit"] });
    await expect.poll(containers, { timeout: 60_000, interval: 20 }).toEqual(["running"]);
    child.kill("SIGKILL");
    await once(child, "close");
    await expect.poll(containers, { timeout: 30_000, interval: 100 }).toEqual([]);
  });
});
