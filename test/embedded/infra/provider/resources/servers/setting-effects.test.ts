import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { embeddedServer } from "../../../../../../infra/provider/resources/servers/embedded-server.ts";
import { isUnknown, type Properties } from "../../../../../../infra/provider-protocol/values.ts";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { stopServer } from "../../../../../../scripts/server/embedded.ts";
import { freePort } from "../../../../../support/free-port.ts";
import { contextOf, type RecordedContext } from "../../../../../unit/infra/provider/call-context.ts";
import { copyClusterOf } from "../../../../initialised-cluster.ts";

const superuserPassword = "a-password-of-the-superuser";
const settings = {
  shared_buffers: "16MB",
  max_connections: "20",
  work_mem: "7MB",
  jit: "on",
  deadlock_timeout: "2s",
  max_prepared_transactions: "0",
  fsync: "off",
  // The server shows these values in another form.
  wal_buffers: "-1",
  timezone: "etc/utc",
};

interface Server {
  id: string;
  inputs: Properties & { settings: Record<string, string> };
  outputs: Properties & { port: number; pid: number; dataDirectory: string; folder: string; logDirectory: string };
}

let context: RecordedContext;
let server: Server;
beforeEach(async () => {
  vi.stubEnv("XDG_DATA_HOME", join(inject("scratch"), "effects"));
  context = contextOf("EmbeddedServer", `stack-${randomUUID()}`);
  await copyClusterOf(context.urn, superuserPassword);
  const inputs = { superuserPassword, settings };
  server = { ...(await embeddedServer.create(context, inputs, false)), inputs } as unknown as Server;
});
afterEach(async () => {
  await stop();
  await rm(server.outputs.folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

const stop = () =>
  stopServer(join(inject("scratch"), "effects", "pgroundwork"), {
    data: server.outputs.dataDirectory,
    log: server.outputs.logDirectory,
  });

async function query(sql: string, password = superuserPassword): Promise<unknown[]> {
  const { port } = server.outputs;
  const login = { host: "127.0.0.1", port, database: "postgres", user: "postgres", password, sslmode: "disable" };
  return withClient(login as Parameters<typeof withClient>[0], async (client) => (await client.query(sql)).rows);
}

interface Told {
  paths: string[];
  lines: string[];
}

/** Runs a preview and an `up` of a change, and compares their messages. Expects no changes afterwards. */
async function change(news: Properties): Promise<Told & { restarts: boolean }> {
  const { pid } = server.outputs;
  const previewed = await tell(news, true);
  const willRestart = isUnknown(previewed.outputs.pid);
  const done = await tell(news, false);
  expect({ paths: done.paths, lines: done.lines }).toEqual({ paths: previewed.paths, lines: previewed.lines });
  server = { ...server, inputs: news as Server["inputs"], outputs: done.outputs as Server["outputs"] };
  const restarts = server.outputs.pid !== pid;
  expect(restarts).toBe(willRestart);
  expect(await embeddedServer.diff(context, server, news)).toEqual({ changes: [] });
  expect(await query("select name from pg_settings where pending_restart")).toEqual([]);
  return { paths: done.paths, lines: done.lines, restarts };
}

async function tell(news: Properties, preview: boolean): Promise<Told & { outputs: Properties }> {
  const { changes } = await embeddedServer.diff(context, server, news);
  context.lines.length = 0;
  const outputs = await embeddedServer.update(context, server, news, preview);
  return { paths: changes.map(({ path }) => path), lines: [...context.lines], outputs };
}

const declaring = (changed: Record<string, string>, without: string[] = []) => ({
  superuserPassword,
  settings: Object.fromEntries(Object.entries({ ...settings, ...changed }).filter(([name]) => !without.includes(name))),
});

describe("the preview of a changed setting", () => {
  it.each<[string, Record<string, string>, string[], string[], string[], boolean]>([
    [
      "announces nothing if the server takes both values for the same",
      { work_mem: "7168kB", jit: "true", deadlock_timeout: "2000" },
      [],
      ["settings.work_mem", "settings.jit", "settings.deadlock_timeout"],
      [
        "info: deadlock_timeout 2s -> 2000 (no effect: both values are equal for the server)",
        "info: jit on -> true (no effect: both values are equal for the server)",
        "info: work_mem 7MB -> 7168kB (no effect: both values are equal for the server)",
      ],
      false,
    ],
    [
      "announces a reload",
      { work_mem: "8MB", jit: "off", log_line_prefix: "%m " },
      [],
      ["settings.work_mem", "settings.jit", "settings.log_line_prefix"],
      [
        "info: jit on -> off (reload)",
        "info: log_line_prefix %m [%p] %q%u@%d %a  -> %m  (reload)",
        "info: work_mem 7MB -> 8MB (reload)",
      ],
      false,
    ],
    [
      "announces a restart, and what changes with it",
      { max_connections: "30", work_mem: "0.5MB" },
      [],
      ["settings.max_connections", "settings.work_mem", "pid"],
      ["info: max_connections 20 -> 30 (restart, closes connections)", "info: work_mem 7MB -> 0.5MB (reload)"],
      true,
    ],
    [
      "announces a reload if a setting is removed that no other file has",
      {},
      ["deadlock_timeout"],
      ["settings.deadlock_timeout"],
      ["info: deadlock_timeout 2s -> 1s (reload)"],
      false,
    ],
    [
      "announces a restart if a setting that needs one is removed, whatever its default",
      {},
      ["max_prepared_transactions"],
      ["settings.max_prepared_transactions", "pid"],
      ["info: max_prepared_transactions 0 -> 0 (restart, closes connections)"],
      true,
    ],
    [
      "announces a restart if a setting is removed that postgresql.conf has with another value",
      {},
      ["max_connections"],
      ["settings.max_connections", "pid"],
      [expect.stringMatching(/^info: max_connections 20 -> \d+ \(restart, closes connections\)$/) as string],
      true,
    ],
    [
      "announces a reload for a setting of a module that is not loaded",
      { "auto_explain.log_min_duration": "1s" },
      [],
      ['settings["auto_explain.log_min_duration"]'],
      ["info: auto_explain.log_min_duration default -> 1s (reload)"],
      false,
    ],
    [
      "announces a reload without the value of a secret setting",
      { primary_conninfo: "host=there password=marked-secret" },
      [],
      ["settings.primary_conninfo"],
      ["info: primary_conninfo [secret] -> [secret] (reload)"],
      false,
    ],
  ])("%s", async (_, changed, without, paths, lines, restarts) => {
    expect(await change(declaring(changed, without))).toEqual({ paths, lines, restarts });
  });

  it("announces a restart if the port changes", async () => {
    const port = await freePort();
    const { port: former } = server.outputs;
    expect(await change({ ...declaring({}), port })).toEqual({
      paths: ["port", "pid"],
      lines: [`info: port ${former} -> ${port} (restart, closes connections)`],
      restarts: true,
    });
  });

  it("announces nothing if the declared port is the one that the server has", async () => {
    const { port } = server.outputs;
    expect(await change({ ...declaring({}), port })).toEqual({ paths: ["port"], lines: [], restarts: false });
  });

  it("announces the start that up makes if the server is stopped", async () => {
    await stop();
    expect(await change(declaring({ max_connections: "30", jit: "off" }, ["work_mem"]))).toEqual({
      paths: ["settings.max_connections", "settings.work_mem", "settings.jit", "pid"],
      lines: [
        "info: jit on -> off (applied when `up` starts the server)",
        "info: max_connections 20 -> 30 (applied when `up` starts the server)",
        "info: work_mem 7MB -> default (applied when `up` starts the server)",
      ],
      restarts: true,
    });
  });

  it("announces nothing if ALTER SYSTEM overrides the setting", async () => {
    await query("alter system set work_mem = '9MB'");
    await query("select pg_reload_conf()");
    expect(await change(declaring({ work_mem: "8MB" }))).toEqual({
      paths: ["settings.work_mem"],
      lines: ["info: work_mem 7MB -> 8MB (no effect: ALTER SYSTEM or a later line of postgresql.conf overrides it)"],
      restarts: false,
    });
    expect(await query("show work_mem")).toEqual([{ work_mem: "9MB" }]);
  });

  it("announces a restart if ALTER SYSTEM changed a setting that needs one", async () => {
    await query("alter system set max_wal_senders = 7");
    expect(await change(declaring({ work_mem: "8MB" }))).toEqual({
      paths: ["settings.work_mem", "pid"],
      lines: ["info: max_wal_senders 10 -> 7 (restart, closes connections)", "info: work_mem 7MB -> 8MB (reload)"],
      restarts: true,
    });
  });

  it("announces a reload if ALTER SYSTEM was reset since the last one", async () => {
    await query("alter system set checkpoint_timeout = '7min'");
    await query("select pg_reload_conf()");
    await query("alter system reset checkpoint_timeout");
    expect((await change(declaring({ work_mem: "8MB" }))).lines).toEqual([
      "info: checkpoint_timeout 7min -> 5min (reload)",
      "info: work_mem 7MB -> 8MB (reload)",
    ]);
  });

  it("compares with the server's value if the superuser has one of its own", async () => {
    await query("alter role postgres set work_mem = '8MB'");
    const { lines } = await change(declaring({ work_mem: "8MB" }));
    expect(lines).toEqual(["info: work_mem 7MB -> 8MB (reload)"]);
  });

  it("announces the rest if an earlier up was killed before the server read its file", async () => {
    const file = join(server.outputs.dataDirectory, "pgroundwork.conf");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("work_mem = '7MB'", "work_mem = '8MB'"));
    expect(await change(declaring({ work_mem: "8MB" }))).toEqual({
      paths: ["settings.work_mem"],
      lines: ["info: work_mem 7MB -> 8MB (reload)"],
      restarts: false,
    });
    expect(await query("show work_mem")).toEqual([{ work_mem: "8MB" }]);
  });

  it("announces that an edit of the file is reverted, whether the server has read it or not", async () => {
    const file = join(server.outputs.dataDirectory, "pgroundwork.conf");
    await writeFile(file, `${await readFile(file, "utf8")}work_mem = '9MB'\n`);
    expect((await change(declaring({}))).lines).toEqual([
      "info: work_mem 9MB -> 7MB (no effect: both values are equal for the server)",
    ]);
    await writeFile(file, `${await readFile(file, "utf8")}work_mem = '9MB'\n`);
    await query("select pg_reload_conf()");
    expect(await change(declaring({}))).toEqual({
      paths: ["settings.work_mem"],
      lines: ["info: work_mem 9MB -> 7MB (reload)"],
      restarts: false,
    });
  });

  it("announces a restart if the server accepts no connection to query it", async () => {
    await query("alter role postgres password 'unknown to the stack'");
    expect(await change(declaring({ work_mem: "8MB" }))).toEqual({
      paths: ["settings.work_mem", "pid"],
      lines: ["info: work_mem 7MB -> 8MB (restart, because the server could not be asked if one is needed)"],
      restarts: true,
    });
  });
});

describe("settings that PostgreSQL refuses", () => {
  it("are reported together with value and allowed range, in preview and up, before anything changes", async () => {
    const { pid } = server.outputs;
    const news = declaring({
      work_mem: "1kB",
      shared_buffers: "much",
      jit: "perhaps",
      wal_level: "full",
      max_connections: "0",
      random_page_cost: "-1",
      block_size: "4096",
      shard_mem: "8MB",
      wrk_mem: "8MB",
      deadlock_timeout: "2 weeks",
      timezone: "Nowhere/Else",
    });
    const error = await embeddedServer.update(context, server, news, true).catch((failure: Error) => failure);
    expect((error as Error).message.split("\n")).toEqual([
      "PostgreSQL refuses these settings:",
      "- shared_buffers is 'much'; expected from 128kB to 8589934584kB, in B, kB, MB, GB, TB; the unit of a plain number is 8kB",
      "- max_connections is '0'; expected a whole number from 1 to 262143",
      "- work_mem is '1kB'; expected from 64kB to 2147483647kB, in B, kB, MB, GB, TB; the unit of a plain number is kB",
      "- jit is 'perhaps'; expected on or off",
      "- deadlock_timeout is '2 weeks'; expected from 1ms to 2147483647ms, in us, ms, s, min, h, d; the unit of a plain number is ms",
      "- wal_level is 'full'; expected one of minimal, replica, logical",
      "- random_page_cost is '-1'; expected from 0 to 1.79769e+308",
      "- block_size is read-only: PostgreSQL sets it itself",
      "- shard_mem is not a setting of this PostgreSQL",
      "- wrk_mem is not a setting of this PostgreSQL; did you mean work_mem?",
      `- timezone is 'Nowhere/Else'; PostgreSQL says: invalid value for parameter "TimeZone": "Nowhere/Else"`,
    ]);
    await expect(embeddedServer.update(context, server, news, false)).rejects.toEqual(error);
    expect(await embeddedServer.diff(context, server, declaring({}))).toEqual({ changes: [] });
    expect((await query("show work_mem")).concat(server.outputs.pid)).toEqual([{ work_mem: "7MB" }, pid]);
  });
});

describe("a setting with which the server does not start", () => {
  it("is refused in a preview and in up, and the server keeps running", async () => {
    const news = declaring({ shared_preload_libraries: "/dev/null" });
    for (const preview of [true, false]) {
      await expect(embeddedServer.update(context, server, news, preview)).rejects.toThrow(
        'PostgreSQL does not start with these settings: could not load library "/dev/null"',
      );
    }
    expect(await query("show shared_preload_libraries")).toEqual([{ shared_preload_libraries: "" }]);
    expect(await embeddedServer.diff(context, server, server.inputs)).toEqual({ changes: [] });
  });
});
