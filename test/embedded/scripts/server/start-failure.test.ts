import { readFileSync } from "node:fs";
import { appendFile, mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { OperationError } from "../../../../scripts/core/operation-error.ts";
import { installBinaries } from "../../../../scripts/server/binaries.ts";
import { readConfiguration } from "../../../../scripts/server/configuration.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { ownServers } from "./own-servers.ts";

const ownServer = ownServers(true);

/** Returns true if Linux refuses allocations that exceed the memory. With overcommit_memory 1 it grants any amount. */
function refusesMemory(): boolean {
  return process.platform === "linux" && readFileSync("/proc/sys/vm/overcommit_memory", "utf8").trim() !== "1";
}

describe("a setting that PostgreSQL does not accept", () => {
  it.each([
    [
      "an invalid value",
      { shared_buffers: "much" },
      "PostgreSQL refuses a setting: shared_buffers is 'much'; expected from 128kB to 8589934584kB, in B, kB, MB, GB, TB; the unit of a plain number is 8kB",
    ],
    [
      "an unknown name",
      { shard_buffers: "16MB" },
      "PostgreSQL refuses a setting: shard_buffers is not a setting of this PostgreSQL; did you mean shared_buffers?",
    ],
    [
      "an unknown unit",
      { work_mem: "8XB" },
      "PostgreSQL refuses a setting: work_mem is '8XB'; expected from 64kB to 2147483647kB, in B, kB, MB, GB, TB; the unit of a plain number is kB",
    ],
    [
      "a value that fails its own check",
      { timezone: "Nowhere/Else" },
      `PostgreSQL refuses a setting: timezone is 'Nowhere/Else'; PostgreSQL says: invalid value for parameter "TimeZone": "Nowhere/Else"`,
    ],
    [
      "a text that no session can use",
      { default_text_search_config: "klingon" },
      `PostgreSQL refuses a setting: default_text_search_config is 'klingon'; PostgreSQL says: invalid value for parameter "default_text_search_config": "klingon"`,
    ],
    [
      "a conflict with other settings",
      { superuser_reserved_connections: "30" },
      'PostgreSQL refuses a setting: "superuser_reserved_connections" (30) plus "reserved_connections" (0) must be less than "max_connections" (20)',
    ],
    [
      "a wal_level too low for another setting",
      { wal_level: "minimal", archive_mode: "on", max_wal_senders: "0" },
      'PostgreSQL refuses a setting: WAL archival cannot be enabled when "wal_level" is "minimal"',
    ],
    [
      "several faults at once",
      {
        work_mem: "8XB",
        shared_buffers: "much",
        timezone: "Nowhere/Else",
        default_text_search_config: "klingon",
        session_preload_libraries: "auto_explain, no_such_library",
      },
      `PostgreSQL refuses these settings:
- session_preload_libraries names the library no_such_library, which is not in LIBRARIES
- shared_buffers is 'much'; expected from 128kB to 8589934584kB, in B, kB, MB, GB, TB; the unit of a plain number is 8kB
- work_mem is '8XB'; expected from 64kB to 2147483647kB, in B, kB, MB, GB, TB; the unit of a plain number is kB
- timezone is 'Nowhere/Else'; PostgreSQL says: invalid value for parameter "TimeZone": "Nowhere/Else"
- default_text_search_config is 'klingon'; PostgreSQL says: invalid value for parameter "default_text_search_config": "klingon"`,
    ],
  ])("is refused before anything is written, and the server keeps running: %s", async (_, wrong, message) => {
    const own = ownServer();
    const first = await own.ensure();
    const before = await readConfiguration(own.directory.data);
    await expect(own.ensure({ settings: { ...own.spec.settings, ...wrong } })).rejects.toMatchObject({
      message: message.replace("LIBRARIES", (await installBinaries(own.spec.home)).libraries),
      hint: "Correct pgroundwork:postgresql (pulumi config). The server was not changed.",
    });
    expect(await readConfiguration(own.directory.data)).toBe(before);
    expect(await findPostmaster(own.directory.data)).toMatchObject({ pid: first.pid });
  });
});

describe("settings that PostgreSQL can read but not run with", () => {
  const again = (how: string) =>
    `Correct pgroundwork:postgresql or the setting that the error names (pulumi config). The server runs ${how} with its former settings.`;
  // A file that exists, but is no library.
  const useless = "/dev/null";
  const unrunnable: [string, Record<string, string>, string, string][] = [
    [
      "name a library that cannot be loaded",
      { shared_preload_libraries: useless },
      `could not load library "${useless}"`,
      again("again"),
    ],
    // New connections fail, so that no one can ask if another setting waits for a restart. Existing sessions continue.
    [
      "prevent new connections",
      { session_preload_libraries: useless, max_connections: "25" },
      `could not load library "${useless}"`,
      again("on"),
    ],
  ];
  // If the system grants any amount, the server would begin to use it.
  if (refusesMemory()) {
    unrunnable.push([
      "request more memory than there is",
      { shared_buffers: "900GB" },
      "could not map anonymous shared memory: Cannot allocate memory",
      again("again"),
    ]);
  }

  it.each(unrunnable)(
    "are reverted if they %s, and the server runs with its former settings",
    async (_, wrong, reason, hint) => {
      const own = ownServer();
      const first = await own.ensure();
      await own.query(first.port, "create table kept (id int); insert into kept values (7)");
      const before = await readConfiguration(own.directory.data);

      await expect(own.ensure({ settings: { ...own.spec.settings, ...wrong } })).rejects.toMatchObject({
        name: "OperationError",
        message: expect.stringContaining(reason),
        hint,
      });
      expect(await readConfiguration(own.directory.data)).toBe(before);
      expect(await own.query(first.port, "select id from kept")).toEqual([{ id: 7 }]);
      if (hint === again("on")) expect(await findPostmaster(own.directory.data)).toMatchObject({ pid: first.pid });
      expect(await own.query(first.port, "select name from pg_settings where pending_restart")).toEqual([]);

      const mended = await own.ensure({ settings: { ...own.spec.settings, max_connections: "30" } });
      expect(await own.query(mended.port, "show max_connections")).toEqual([{ max_connections: "30" }]);
      expect(await own.query(mended.port, "select id from kept")).toEqual([{ id: 7 }]);
    },
  );

  it("are reverted on a stopped server, which stays stopped", async () => {
    const own = ownServer();
    const first = await own.ensure();
    await own.stop();
    const before = await readConfiguration(own.directory.data);
    const settings = { ...own.spec.settings, shared_preload_libraries: useless };
    await expect(own.ensure({ settings })).rejects.toMatchObject({
      message: expect.stringContaining(`could not load library "${useless}"`),
      hint: "Correct pgroundwork:postgresql or the setting that the error names (pulumi config). The server is stopped, as before, and has its former settings.",
    });
    expect(await readConfiguration(own.directory.data)).toBe(before);
    expect(await findPostmaster(own.directory.data)).toBeUndefined();
    expect((await own.ensure()).port).toBe(first.port);
  });

  it("are not blamed if the server does not start with its former settings either", async () => {
    const own = ownServer();
    await own.ensure();
    const before = await readConfiguration(own.directory.data);
    await appendFile(join(own.directory.data, "pg_hba.conf"), "\nnonsense here\n");
    await expect(own.ensure({ settings: { ...own.spec.settings, max_connections: "25" } })).rejects.toMatchObject({
      message: expect.stringContaining("FATAL:  could not load "),
      hint: `The complete log is in ${own.directory.log}. The data was not changed. Its former settings were restored, but it does not start with them either.`,
    });
    expect(await readConfiguration(own.directory.data)).toBe(before);
  });
});

describe("a server that does not start", () => {
  it("is reported with the end of its log and the location of the rest", async () => {
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
    expect(error?.hint).toBe(`The complete log is in ${own.directory.log}. The data was not changed.`);
  });
});

describe("a server that does not start, for another reason than the last time", () => {
  it("is judged only by the log of this start", async () => {
    const own = ownServer();
    await own.ensure();
    await own.stop();
    const control = join(own.directory.data, "global", "pg_control");
    const whole = await readFile(control);
    await truncate(control, 100);
    await expect(own.ensure()).rejects.toMatchObject({ hint: expect.stringContaining("are damaged") });
    await writeFile(control, whole);
    const file = join(own.directory.data, "postgresql.conf");
    const text = await readFile(file, "utf8");
    await writeFile(file, `shard_buffers = 16MB\n${text}`);
    const mistake = `unrecognized configuration parameter "shard_buffers" in file "${file}" line 1`;
    await expect(own.ensure()).rejects.toMatchObject({
      message: expect.stringContaining(mistake),
      hint: `Correct line 1 of ${file}, then run \`up\` again. The data was not changed.`,
    });
    await writeFile(file, text);
    await own.ensure();
  });
});

describe("a folder that cannot be used", () => {
  it.skipIf(process.getuid?.() !== 0)("is named with a hint if the account cannot enter it (needs root)", async () => {
    const own = ownServer();
    await mkdir(own.spec.folder, { recursive: true, mode: 0o700 });
    const dataDirectory = join(own.spec.folder, "closed", "data");
    await mkdir(join(own.spec.folder, "closed"), { mode: 0o700 });
    await expect(own.ensure({ dataDirectory })).rejects.toMatchObject({
      message: expect.stringMatching(/^initdb failed in .*Permission denied$/s),
      hint: expect.stringContaining("Allow it (chmod o+x)"),
    });
  });

  it("is named if it cannot be created", async () => {
    const own = ownServer();
    await mkdir(own.spec.folder, { recursive: true });
    const file = join(own.spec.folder, "file");
    await writeFile(file, "");
    await expect(own.ensure({ dataDirectory: join(file, "below", "data") })).rejects.toThrow(
      `Cannot read the data directory ${join(file, "below", "data")}: ENOTDIR`,
    );
  });
});
