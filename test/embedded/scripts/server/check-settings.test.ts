import { appendFile, chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFor } from "../../../../scripts/core/temporary.ts";
import { serverAccount } from "../../../../scripts/server/account.ts";
import { type Binaries, installBinaries } from "../../../../scripts/server/binaries.ts";
import { checkSettings } from "../../../../scripts/server/check-settings.ts";
import { leftTemporary } from "../../../support/left-temporary.ts";
import { type OwnServer, ownServers } from "./own-servers.ts";

const ownServer = ownServers(true);
const secret = "postgresql://ann:marked-secret@primary/db";

/** Returns PostgreSQL's programs with a `postgres` that records its calls. */
async function recorded(own: OwnServer): Promise<{ binaries: Binaries; calls: () => Promise<string> }> {
  const binaries = await installBinaries(own.spec.home);
  const folder = join(own.spec.folder, "recorded");
  await mkdir(folder);
  // The server's account writes to this folder.
  await chmod(folder, 0o777);
  const postgres = join(folder, "postgres");
  await writeFile(
    postgres,
    `#!/bin/sh
here=$(dirname "$0")
printf '%s\\n' "$@" >>"$here/calls"
find "$PWD" -maxdepth 1 -type f -name 'pgroundwork.check.*' -exec ls -l {} + | cut -c1-10 >>"$here/calls"
exec '${binaries.postgres.replaceAll("'", `'\\''`)}' "$@"
`,
  );
  await chmod(postgres, 0o755);
  return { binaries: { ...binaries, postgres }, calls: () => readFile(join(folder, "calls"), "utf8") };
}

const filesOf = async (own: OwnServer) =>
  (await readdir(own.directory.data)).filter((name) => name.startsWith("pgroundwork")).sort();

it("a check of settings passes values in a private temporary file, not in its arguments", async () => {
  const own = ownServer();
  await own.ensure();
  const account = await serverAccount(process.getuid?.());
  const { binaries, calls } = await recorded(own);
  await checkSettings(binaries, own.directory.data, { primary_conninfo: secret }, account);
  const said = await calls();
  expect(said).not.toContain("marked-secret");
  expect(said.split("\n")).toEqual([
    "-D",
    own.directory.data,
    "-c",
    expect.stringMatching(/^config_file=.*\/pgroundwork\.check\.[-0-9a-f]+\.pgw-tmp$/),
    "-C",
    "data_directory",
    "-rw-------",
    "-D",
    expect.stringMatching(/\/pgroundwork\.check\.[-0-9a-f]+\.pgw-tmp$/),
    "-C",
    "shared_memory_size",
    "",
  ]);
  expect(await filesOf(own)).toEqual(["pgroundwork.conf"]);
});

it("a check that refuses a setting leaves no file and names none", async () => {
  const own = ownServer();
  await own.ensure();
  const account = await serverAccount(process.getuid?.());
  const binaries = await installBinaries(own.spec.home);
  const check = (settings: Record<string, string>) => checkSettings(binaries, own.directory.data, settings, account);
  await expect(check({ work_mem: "8MB", "not a name": "1" })).rejects.toMatchObject({
    message: "PostgreSQL refuses a setting: syntax error in the line: not a name = '1', near token \"name\"",
  });
  await expect(check({ shard_buffers: "16MB", shard_mem: "8MB" })).rejects.toMatchObject({
    message:
      'PostgreSQL refuses a setting: unrecognized configuration parameter "shard_buffers"\nunrecognized configuration parameter "shard_mem"',
  });
  // PostgreSQL itself reports only one kind of error at a time.
  await expect(check({ shard_buffers: "16MB", timezone: "Nowhere/Else" })).rejects.toMatchObject({
    message:
      'PostgreSQL refuses these settings:\n- unrecognized configuration parameter "shard_buffers"\n- invalid value for parameter "TimeZone": "Nowhere/Else"',
  });
  expect(await filesOf(own)).toEqual(["pgroundwork.conf"]);
});

it("a check reports a mistake in a user's file with the name of that file", async () => {
  const own = ownServer();
  await own.ensure();
  const file = join(own.directory.data, "postgresql.auto.conf");
  await appendFile(file, "shard_buffers = '16MB'\n");
  const written = (await readFile(file, "utf8")).trimEnd().split("\n").length;
  await expect(own.ensure()).rejects.toMatchObject({
    message: `PostgreSQL refuses a setting: unrecognized configuration parameter "shard_buffers" in file "${file}" line ${written}`,
    hint: `Correct line ${written} of ${file}. The server was not changed.`,
  });
});

it("a check refuses settings that contradict a user's file, and accepts those that resolve it", async () => {
  const own = ownServer();
  await own.ensure();
  await appendFile(join(own.directory.data, "postgresql.auto.conf"), "wal_level = 'minimal'\nmax_wal_senders = '0'\n");
  const archiving = { ...own.spec.settings, archive_mode: "on" };
  await expect(own.ensure({ settings: archiving })).rejects.toMatchObject({
    message: 'PostgreSQL refuses a setting: WAL archival cannot be enabled when "wal_level" is "minimal"',
  });
  await own.ensure({ settings: { ...own.spec.settings, wal_level: "minimal" } });
});

it("a check removes the files of killed checks, but not those that another check is reading", async () => {
  const own = ownServer();
  await own.ensure();
  const check = join(own.directory.data, "pgroundwork.check");
  await writeFile(leftTemporary(check), "");
  await mkdir(join(leftTemporary(check), "global"), { recursive: true });
  const living = temporaryFor(check);
  await writeFile(living, "");
  await own.ensure();
  expect(await filesOf(own)).toEqual([basename(living), "pgroundwork.conf"]);
});
