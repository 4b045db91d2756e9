import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settingsOptions } from "../../../../scripts/connection/session-settings.ts";
import { acceptsOptions, limitsOf } from "../../../../scripts/stack/provider-sessions.ts";
import { startServer, type TestServer } from "../../server.ts";
import { hasPgBouncer, type Pooler, startPooler } from "../databases/pooler.ts";

describe("session options of the postgresql plugin", () => {
  let server: TestServer;
  const options = settingsOptions(limitsOf(17));

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.stop());

  it("have the limits that the server's version supports", () => {
    const old = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];
    expect(Object.keys(limitsOf(undefined)).sort()).toEqual(old.toSorted());
    expect(Object.keys(limitsOf(15)).sort()).toEqual([...old, "idle_session_timeout"].sort());
    expect(Object.keys(limitsOf(17)).sort()).toEqual([...old, "idle_session_timeout", "transaction_timeout"].sort());
  });

  it("are accepted by a server without sending it a password", async () => {
    const { password: _, ...connection } = server.connection();
    expect(await acceptsOptions(connection, options)).toBe(true);
  });

  it("are not set if nothing answers", async () => {
    expect(await acceptsOptions({ ...server.connection(), port: 1 }, options)).toBe(false);
  });

  it.skipIf(!hasPgBouncer).each(["session", "transaction"] as const)(
    "are refused by PgBouncer if it pools by %s",
    async (mode) => {
      const pooler: Pooler = await startPooler(server.connection(), mode);
      try {
        expect(await acceptsOptions(pooler.connection, options)).toBe(false);
      } finally {
        await pooler.stop();
      }
    },
  );
});
