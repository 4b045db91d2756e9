import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import getPort from "get-port";
import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { isUnknown, type Properties } from "../../../../infra/plugin/values.ts";
import { embeddedServer } from "../../../../infra/provider/embedded-server.ts";
import { stopServer } from "../../../../scripts/server/embedded.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import { contextOf, type RecordedContext } from "../../../unit/infra/provider/call-context.ts";

const superuserPassword = "a-password-of-the-superuser";
const settings = {
  shared_buffers: "16MB",
  max_connections: "20",
  work_mem: "7MB",
  jit: "on",
  deadlock_timeout: "2s",
  max_prepared_transactions: "0",
  fsync: "off",
  // Of these the server has values in words of its own.
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
  const inputs = { superuserPassword, settings };
  server = { ...(await embeddedServer.create(context, inputs, false)), inputs } as unknown as Server;
});
afterEach(async () => {
  await stop();
  await rm(server.outputs.folder, { recursive: true, force: true });
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

/** What a preview tells, and then what `up` tells and does; afterwards there is nothing to do. */
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

describe("a changed setting is previewed as what up then does", () => {
  it.each<[string, Record<string, string>, string[], string[], string[], boolean]>([
    [
      "nothing, where the server takes both values for the same",
      { work_mem: "7168kB", jit: "true", deadlock_timeout: "2000" },
      [],
      ["settings.work_mem", "settings.jit", "settings.deadlock_timeout"],
      [
        "info: deadlock_timeout 2s -> 2000 (no effect: the server takes both for the same)",
        "info: jit on -> true (no effect: the server takes both for the same)",
        "info: work_mem 7MB -> 7168kB (no effect: the server takes both for the same)",
      ],
      false,
    ],
    [
      "a reload",
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
      "a restart, with what changes by the way",
      { max_connections: "30", work_mem: "0.5MB" },
      [],
      ["settings.max_connections", "settings.work_mem", "pid"],
      ["info: max_connections 20 -> 30 (restart, connections are cut)", "info: work_mem 7MB -> 0.5MB (reload)"],
      true,
    ],
    [
      "a reload, where one is taken out that no other file has",
      {},
      ["deadlock_timeout"],
      ["settings.deadlock_timeout"],
      ["info: deadlock_timeout 2s -> 1s (reload)"],
      false,
    ],
    [
      "a restart, where one is taken out that waits for it, whatever its default is",
      {},
      ["max_prepared_transactions"],
      ["settings.max_prepared_transactions", "pid"],
      ["info: max_prepared_transactions 0 -> 0 (restart, connections are cut)"],
      true,
    ],
    [
      "a restart, where one is taken out that postgresql.conf has otherwise",
      {},
      ["max_connections"],
      ["settings.max_connections", "pid"],
      [expect.stringMatching(/^info: max_connections 20 -> \d+ \(restart, connections are cut\)$/) as string],
      true,
    ],
    [
      "a reload, where it is of a module that is not loaded",
      { "auto_explain.log_min_duration": "1s" },
      [],
      ['settings["auto_explain.log_min_duration"]'],
      ["info: auto_explain.log_min_duration default -> 1s (reload)"],
      false,
    ],
    [
      "a reload, without the value where it is a secret",
      { primary_conninfo: "host=there password=marked-secret" },
      [],
      ["settings.primary_conninfo"],
      ["info: primary_conninfo [secret] -> [secret] (reload)"],
      false,
    ],
  ])("%s", async (_, changed, without, paths, lines, restarts) => {
    expect(await change(declaring(changed, without))).toEqual({ paths, lines, restarts });
  });

  it("a restart, where the port is another", async () => {
    const port = await getPort();
    const { port: former } = server.outputs;
    expect(await change({ ...declaring({}), port })).toEqual({
      paths: ["port", "pid"],
      lines: [`info: port ${former} -> ${port} (restart, connections are cut)`],
      restarts: true,
    });
  });

  it("nothing, where the port is declared that the server has already", async () => {
    const { port } = server.outputs;
    expect(await change({ ...declaring({}), port })).toEqual({ paths: ["port"], lines: [], restarts: false });
  });

  it("the start that up makes anyway, where the server is stopped", async () => {
    await stop();
    expect(await change(declaring({ max_connections: "30", jit: "off" }, ["work_mem"]))).toEqual({
      paths: ["settings.max_connections", "settings.work_mem", "settings.jit", "pid"],
      lines: [
        "info: jit on -> off (with the start that `up` makes anyway)",
        "info: max_connections 20 -> 30 (with the start that `up` makes anyway)",
        "info: work_mem 7MB -> default (with the start that `up` makes anyway)",
      ],
      restarts: true,
    });
  });

  it("nothing, where ALTER SYSTEM says otherwise", async () => {
    await query("alter system set work_mem = '9MB'");
    await query("select pg_reload_conf()");
    expect(await change(declaring({ work_mem: "8MB" }))).toEqual({
      paths: ["settings.work_mem"],
      lines: ["info: work_mem 7MB -> 8MB (no effect: ALTER SYSTEM, or a later line of postgresql.conf, sets it)"],
      restarts: false,
    });
    expect(await query("show work_mem")).toEqual([{ work_mem: "9MB" }]);
  });

  it("a restart, where ALTER SYSTEM had another setting wait for one", async () => {
    await query("alter system set max_wal_senders = 7");
    expect(await change(declaring({ work_mem: "8MB" }))).toEqual({
      paths: ["settings.work_mem", "pid"],
      lines: ["info: max_wal_senders 10 -> 7 (restart, connections are cut)", "info: work_mem 7MB -> 8MB (reload)"],
      restarts: true,
    });
  });

  it("a reload, where ALTER SYSTEM was taken back since the last one", async () => {
    await query("alter system set checkpoint_timeout = '7min'");
    await query("select pg_reload_conf()");
    await query("alter system reset checkpoint_timeout");
    expect((await change(declaring({ work_mem: "8MB" }))).lines).toEqual([
      "info: checkpoint_timeout 7min -> 5min (reload)",
      "info: work_mem 7MB -> 8MB (reload)",
    ]);
  });

  it("the server's, where the superuser has a value of its own", async () => {
    await query("alter role postgres set work_mem = '8MB'");
    const { lines } = await change(declaring({ work_mem: "8MB" }));
    expect(lines).toEqual(["info: work_mem 7MB -> 8MB (reload)"]);
  });

  it("what is left, where an earlier up was killed before the server read its file", async () => {
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

  it("what undoes an edit of the file, read by the server or not", async () => {
    const file = join(server.outputs.dataDirectory, "pgroundwork.conf");
    await writeFile(file, `${await readFile(file, "utf8")}work_mem = '9MB'\n`);
    expect((await change(declaring({}))).lines).toEqual([
      "info: work_mem 9MB -> 7MB (no effect: the server takes both for the same)",
    ]);
    await writeFile(file, `${await readFile(file, "utf8")}work_mem = '9MB'\n`);
    await query("select pg_reload_conf()");
    expect(await change(declaring({}))).toEqual({
      paths: ["settings.work_mem"],
      lines: ["info: work_mem 9MB -> 7MB (reload)"],
      restarts: false,
    });
  });

  it("a restart, where the server lets nobody in who could ask it", async () => {
    await query("alter role postgres password 'unknown to the stack'");
    expect(await change(declaring({ work_mem: "8MB" }))).toEqual({
      paths: ["settings.work_mem", "pid"],
      lines: ["info: work_mem 7MB -> 8MB (restart, since the server could not be asked whether it needs one)"],
      restarts: true,
    });
  });
});

describe("settings that PostgreSQL refuses", () => {
  it("are named together, each with its value and what is allowed, in preview and up, before anything changes", async () => {
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
      "- shared_buffers is 'much'; expected from 128kB to 8589934584kB, in B, kB, MB, GB, TB; a number alone counts 8kB",
      "- max_connections is '0'; expected a whole number from 1 to 262143",
      "- work_mem is '1kB'; expected from 64kB to 2147483647kB, in B, kB, MB, GB, TB; a number alone counts kB",
      "- jit is 'perhaps'; expected on or off",
      "- deadlock_timeout is '2 weeks'; expected from 1ms to 2147483647ms, in us, ms, s, min, h, d; a number alone counts ms",
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
