import { createServer, type Server } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { freePort } from "../../../support/free-port.ts";
import type { Clone, Finished } from "../../clone.ts";
import { describePlannedDumps } from "../../scripts/cli/commands/backup/describe-planned-dumps.ts";
import { changesIn, changesOf } from "./changes.ts";
import { revealedOutputs } from "./passwords.ts";
import { makeShop, shopSettings } from "./shop.ts";

describe("a change of the stack's settings", () => {
  let clone: Clone;
  let data: string;
  let first: Finished;
  let port: number;

  const configure = (settings: Record<string, unknown>, postgresql: Record<string, unknown> = {}) =>
    clone.configure({ ...shopSettings, port, ...settings, postgresql: { ...shopSettings.postgresql, ...postgresql } });
  const pid = async () => (await findPostmaster(data))?.pid;
  const shown = async (setting: string) =>
    Object.values((await clone.query<Record<string, string>>("app", `show ${setting}`))[0] ?? {})[0];

  beforeAll(async () => {
    clone = await makeShop();
    port = await freePort();
    await configure({});
    first = await clone.succeed("up");
    data = (await revealedOutputs(clone)).server.dataDirectory;
  });
  afterAll(() => clone?.remove());

  it("starts the server on the configured port", async () => {
    expect((await findPostmaster(data))?.port).toBe(port);
    expect((await clone.login("app")).port).toBe(port);
  });

  it("prints a warning if a setting gives up durability", () => {
    expect(first.stderr).toMatch(
      /^warning: (.*: )?postgresql\.fsync is off: a crash of the machine can corrupt every database\. A protected stack refuses it\.$/m,
    );
  });

  it("measures and logs by default, without the parameters of statements", async () => {
    expect([
      await shown("log_min_duration_statement"),
      await shown("log_parameter_max_length"),
      await shown("log_autovacuum_min_duration"),
      await shown("track_io_timing"),
      await shown("max_slot_wal_keep_size"),
      await shown("wal_compression"),
    ]).toEqual(["1s", "0", "5s", "on", "8GB", "pglz"]);
  });

  /** Returns the changes of a preview, which `up` then makes, sorted, and the messages of the preview. */
  const appliedChanges = async () => {
    const preview = await clone.succeed("preview", "--json");
    const previewed = changesIn(preview).toSorted();
    expect((await changesOf(clone, "up")).toSorted()).toEqual(previewed);
    return { changes: previewed, said: preview.stderr };
  };

  it("is applied without a restart if PostgreSQL can reload the setting", async () => {
    const before = await pid();
    await configure({}, { work_mem: "7MB" });
    expect((await clone.succeed("preview")).stdout).toContain("EmbeddedServer server-postgres (settings.work_mem)");
    const { changes, said } = await appliedChanges();
    expect(said).toContain("server-postgres: work_mem 4MB -> 7MB (reload)");
    expect(changes).toEqual(["update server-postgres: settings.work_mem"]);
    expect(await changesOf(clone, "up")).toEqual([]);
    expect([await shown("work_mem"), await pid()]).toEqual(["7MB", before]);
  });

  it("only updates the file if the server takes both values for the same", async () => {
    const before = await pid();
    await configure({}, { work_mem: "7168kB" });
    const { changes, said } = await appliedChanges();
    expect(said).toContain("server-postgres: work_mem 7MB -> 7168kB (no effect: both values are equal for the server)");
    expect(changes).toEqual(["update server-postgres: settings.work_mem"]);
    expect([await shown("work_mem"), await pid()]).toEqual(["7MB", before]);
  });

  it("restarts the server and keeps the data if PostgreSQL needs that for the setting", async () => {
    const before = await pid();
    await clone.query("app", "insert into product values (3, 'cocoa', 2)");
    await configure({ maxConnections: 40 }, { work_mem: "7MB" });
    const { changes, said } = await appliedChanges();
    expect(said).toContain("server-postgres: max_connections 30 -> 40 (restart, closes connections)");
    expect(changes).toEqual([
      "update server-postgres: settings.max_connections, settings.work_mem, pid",
      "update server-ready: trigger",
    ]);
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await shown("max_connections")).toBe("40");
    expect(await pid()).not.toBe(before);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
  });

  it("restores PostgreSQL's default if a setting is removed", async () => {
    await configure({ maxConnections: 40 }, { work_mem: "7MB", deadlock_timeout: "2s" });
    expect((await appliedChanges()).changes).toEqual(["update server-postgres: settings.deadlock_timeout"]);
    await configure({ maxConnections: 40 }, { work_mem: "7MB" });
    expect((await appliedChanges()).changes).toEqual(["update server-postgres: settings.deadlock_timeout"]);
    expect(await shown("deadlock_timeout")).toBe("1s");
  });

  it("ends idle transactions of applications after the configured time, and not those of migrations", async () => {
    const limitOf = async (role: string) => {
      const [row] = await clone.query<{ limit: string }>(
        role,
        "select reset_val || unit as limit from pg_settings where name = 'idle_in_transaction_session_timeout'",
      );
      return row?.limit;
    };
    expect([await limitOf("app"), await limitOf("readonly")]).toEqual(["60000ms", "60000ms"]);
    expect(await limitOf("migrator")).toBe("0ms");
    await configure({ maxConnections: 40, idleInTransactionTimeout: 1 }, { work_mem: "7MB" });
    expect((await appliedChanges()).changes).toEqual([
      "update shop-app: idleInTransactionSessionTimeout",
      "update shop-readonly: idleInTransactionSessionTimeout",
    ]);
    const open = new pg.Client(clientConfig(await clone.login("app")));
    // The end of the connection is a second error.
    const ended = new Promise<Error>((resolve) => open.on("error", resolve));
    await open.connect();
    await open.query("begin");
    expect((await ended).message).toContain("idle-in-transaction timeout");
    await configure({ maxConnections: 40 }, { work_mem: "7MB" });
    await clone.succeed("up");
  });

  it("leaves the server alone if the setting does not concern it", async () => {
    const before = await pid();
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "7MB" });
    expect((await appliedChanges()).changes).toEqual(["update server-ready: timeoutSeconds"]);
    expect(await pid()).toBe(before);
  });

  it("fails if PostgreSQL refuses a setting, and the server keeps the old ones", async () => {
    const before = await pid();
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "lots", shard_buffers: "8MB" });
    for (const command of ["preview", "up"]) {
      const { code, stderr } = await clone.pgw(command);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: server-postgres: (Preview failed: )?PostgreSQL refuses these settings:$/m);
      expect(stderr).toContain("- work_mem is 'lots'; expected from 64kB to 2147483647kB, in B, kB, MB, GB, TB;");
      expect(stderr).toContain("- shard_buffers is not a setting of this PostgreSQL; did you mean shared_buffers?");
      expect(stderr).toContain("The server was not changed.");
    }
    expect([await shown("work_mem"), await pid()]).toEqual(["7MB", before]);
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "7MB" });
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("fails instead of waiting without end if ALTER SYSTEM names a synchronous standby that is not connected", async () => {
    const endless = "Every commit on the server would wait without a time limit for a synchronous standby";
    const setNames = async (value: string) => {
      await clone.query("superuser", `alter system set synchronous_standby_names = ${value}`);
      await clone.query("superuser", "select pg_reload_conf()");
    };
    await setNames("'*'");
    expect((await clone.succeed("preview")).stderr).toContain(endless);
    const refused = await clone.pgw("up");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(endless)]);
    expect(refused.stderr).toContain("ALTER SYSTEM RESET synchronous_standby_names");
    await setNames("default");
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("fails if the new port is taken, and succeeds once the port is free", async () => {
    const before = await pid();
    const taken = await freePort();
    const other = await listening(taken);
    port = taken;
    await configure({ maxConnections: 40, readyTimeout: 30 }, { work_mem: "7MB" });
    // The preview asks nothing of the program that listens there.
    for (const [command, step] of [
      ["preview", "Preview failed: "],
      ["up", ""],
    ] as const) {
      const { code, stderr } = await clone.pgw(command);
      expect(code).toBe(1);
      expect(stderr).toContain(
        `error: server-postgres: ${step}Port ${taken} of 127.0.0.1 is in use by another program.\n  Choose another port with `,
      );
      expect(stderr).not.toMatch(/^ +at |could not be queried/m);
    }
    expect(await pid()).toBe(before);
    await new Promise((resolve) => other.close(resolve));
    // The server is still running on its old port, where the preview reaches it.
    expect(await changesOf(clone, "preview")).toEqual([
      "update server-postgres: port, pid",
      "update server-ready: port, trigger",
    ]);
    await clone.succeed("up");
    expect((await clone.login("app")).port).toBe(taken);
    expect(await clone.query("readonly", "select name from product where id = 3")).toEqual([{ name: "cocoa" }]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  describePlannedDumps(
    () => clone,
    (backups) =>
      configure(
        { maxConnections: 40, readyTimeout: 30, ...(backups === undefined ? {} : { backups }) },
        { work_mem: "7MB" },
      ),
  );
});

async function listening(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}
