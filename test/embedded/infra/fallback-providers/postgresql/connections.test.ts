import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unknownValue } from "../../../../../infra/provider-protocol/values.ts";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { startServer, type TestServer } from "../../../server.ts";
import { PluginProcess } from "./plugin-process.ts";
import { sql } from "./sql.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server?.stop();
});

describe("an unreachable server", () => {
  it("fails create, read, update and delete with one clear error, but not diff", async () => {
    const dead = await PluginProcess.start({ ...server.connection(), port: 1 });
    try {
      const role = { type: "Role", name: "r", id: "r", inputs: { name: "r" }, outputs: { name: "r", inherit: true } };
      const message =
        "Cannot connect to postgres@127.0.0.1:1/postgres: nothing listens on 127.0.0.1:1 (connection refused).\n" +
        "  Start the server (a stack: npm run up), or correct host and port.";
      await expect(dead.create("Role", "r", { name: "r" })).rejects.toThrow(message);
      await expect(dead.read(role)).rejects.toThrow(message);
      await expect(dead.update(role)).rejects.toThrow(message);
      await expect(dead.delete(role)).rejects.toThrow(message);
      expect(await dead.diff(role, { name: "s" })).toEqual(["name"]);
      expect(await dead.diff(role, { name: unknownValue })).toEqual(["name"]);
    } finally {
      await dead.stop();
    }
  });

  it("gives another error than a wrong password or missing TLS", async () => {
    const wrong = await PluginProcess.start({ ...server.connection(), password: "not-the-password" });
    const tls = await PluginProcess.start(server.connection(), { sslmode: "require" });
    try {
      await expect(wrong.create("Role", "r", { name: "r" })).rejects.toThrow(
        'password authentication failed for user "postgres".',
      );
      await expect(tls.create("Role", "r", { name: "r" })).rejects.toThrow("the server does not support TLS.");
    } finally {
      await wrong.stop();
      await tls.stop();
    }
  });
});

describe("an interruption", () => {
  it("by cancel aborts a change that waits for another one, and nothing of it happens", async () => {
    const plugin = await PluginProcess.start(server.connection());
    try {
      await withClient(server.connection(), async (holder) => {
        await holder.query("begin");
        await holder.query("select pg_advisory_xact_lock(7032170041)");
        const created = plugin.create("Role", "late", { name: "late" });
        const outcome = expect(created).rejects.toThrow("Cancelled.");
        const waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and wait_event = 'advisory'";
        await expect.poll(async () => (await sql(server.connection(), waiting)).length).toBe(1);
        await plugin.cancel();
        await outcome;
        await holder.query("rollback");
      });
      expect(await sql(server.connection(), "select 1 from pg_roles where rolname = 'late'")).toEqual([]);
    } finally {
      await plugin.stop();
    }
  });

  it("of an idle connection by the server does not fail the next change", async () => {
    const plugin = await PluginProcess.start(server.connection());
    try {
      await plugin.create("Role", "before_break", { name: "before_break" });
      const ended = await sql(
        server.connection(),
        "select pg_terminate_backend(pid, 5000) as ended from pg_stat_activity where application_name = 'pgroundwork' and pid <> pg_backend_pid()",
      );
      expect(ended).toContainEqual({ ended: true });
      await plugin.create("Role", "after_break", { name: "after_break" });
      expect(await sql(server.connection(), "select 1 from pg_roles where rolname = 'after_break'")).toHaveLength(1);
    } finally {
      await plugin.stop();
    }
  });
});
