import { describe, expect, it } from "vitest";
import { parseDurationMs } from "../../../../scripts/client/durations.ts";
import { connectionTo, targetFromUrl } from "../../../../scripts/client/servers/target.ts";
import { type PoolOptions, poolSettings } from "../../../../scripts/client/settings.ts";

const url = "postgresql://app:secret@localhost/shop";
const settings = (env: Record<string, string>, options: PoolOptions = {}) =>
  poolSettings({ connection: url, env, ...options });

describe("pool settings", () => {
  it("have the documented defaults, for production and otherwise", () => {
    expect(settings({})).toMatchObject({
      max: 20,
      min: 5,
      connectionTimeoutMs: 30_000,
      queryTimeoutMs: 30_000,
      idleTimeoutMs: 30_000,
      targetSessionAttrs: "any",
    });
    expect(settings({ NODE_ENV: "production" }).max).toBe(50);
  });

  it("are read from the environment, and options take precedence", () => {
    const env = { DB_MAX_OPEN_CONNS: "25", DB_MAX_IDLE_CONNS: "3", DB_CONN_MAX_LIFETIME: "1h30m" };
    expect(settings(env)).toMatchObject({ max: 25, min: 3, maxLifetimeMs: 5_400_000 });
    expect(settings(env, { max: 7, min: 1, maxLifetimeMs: 1 })).toMatchObject({ max: 7, min: 1, maxLifetimeMs: 1 });
  });

  it("are refused with every problem at once, and without the password", () => {
    const env = { DB_MAX_OPEN_CONNS: "many", DB_CONN_MAX_LIFETIME: "soon" };
    const wrong = () => settings(env, { min: 30, lockTimeoutMs: -1 });
    expect(wrong).toThrow('DB_MAX_OPEN_CONNS is "many"');
    expect(wrong).toThrow('DB_CONN_MAX_LIFETIME is "soon"');
    expect(wrong).toThrow("min is 30, more than max (20)");
    expect(wrong).toThrow("lockTimeoutMs is -1");
    expect(() => poolSettings({ connection: "postgresql://app:se/cret@host/shop" })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("cret") }),
    );
  });

  it("take 0 as no limit to obtain a client, and then have the usual limits for a host and for retries", () => {
    const { connectionTimeoutMs, hostTimeoutMs, retryLimitMs } = settings({}, { connectionTimeoutMs: 0 });
    expect(connectionTimeoutMs).toBe(2 ** 31 - 1);
    expect([hostTimeoutMs, retryLimitMs]).toEqual([5_000, 30_000]);
    expect(settings({}, { connectionTimeoutMs: 1e12 }).connectionTimeoutMs).toBe(2 ** 31 - 1);
    expect(() => settings({}, { hostTimeoutMs: 0 })).toThrow("hostTimeoutMs is 0, expected a number above 0");
  });

  it.each([
    ["300ms", 300],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["45", 45_000],
    ["5 minutes", undefined],
    ["", undefined],
  ])("read the duration %j", (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected);
  });
});

describe("the servers of a pool", () => {
  it("are read from a URL with several hosts, as libpq does", () => {
    const target = targetFromUrl(
      "postgresql://app:p%40ss@one:5433,[::1],three:5434/shop?target_session_attrs=read-write&load_balance_hosts=random&connect_timeout=3",
      "connection",
    );
    expect(target).toMatchObject({
      hosts: [
        { host: "one", port: 5433 },
        { host: "::1", port: 5432 },
        { host: "three", port: 5434 },
      ],
      database: "shop",
      user: "app",
      password: "p@ss",
      targetSessionAttrs: "read-write",
      loadBalanceHosts: "random",
      connectTimeoutSeconds: 3,
    });
    expect(targetFromUrl("postgresql:///shop?host=a,b&port=1,2&user=app", "connection").hosts).toEqual([
      { host: "a", port: 1 },
      { host: "b", port: 2 },
    ]);
  });

  it("are read from DATABASE_URL, then DB_*, then PG*", () => {
    const all = {
      DATABASE_URL: "postgresql://app@one/shop",
      DB_HOST: "two,three",
      DB_PORT: "5433",
      DB_NAME: "shop",
      DB_USER: "app",
      PGHOST: "four",
      PGUSER: "app",
      PGPASSWORD: "from PG",
      PGTARGETSESSIONATTRS: "primary",
    };
    const targetOf = (env: Record<string, string>) =>
      poolSettings({ env, max: 1, allowUnverifiedServers: true }).target;
    expect(targetOf(all)).toMatchObject({
      hosts: [{ host: "one" }],
      password: "from PG",
      targetSessionAttrs: "primary",
    });
    const { DATABASE_URL: _, ...without } = all;
    expect(targetOf(without)).toMatchObject({
      hosts: [
        { host: "two", port: 5433 },
        { host: "three", port: 5433 },
      ],
      targetSessionAttrs: "primary",
    });
    expect(targetOf({ PGHOST: "four", PGUSER: "app" })).toMatchObject({ hosts: [{ host: "four" }], database: "app" });
    expect(() => targetOf({})).toThrow("No database is given.");
  });

  it.each([
    ["postgresql://app@one,two:x/shop", 'the port is "x"'],
    [
      "postgresql://one:1,two:2,three/shop?port=1,2&user=a&host=a,b,c&target_session_attrs=master",
      "target_session_attrs",
    ],
    ["postgresql://app@one/shop?sslmode=on", 'sslmode is "on"'],
    ["postgresql://app@one/shop?sslcert=x", 'the parameter "sslcert" is not supported'],
    ["mysql://app@one/shop", "it is not a postgresql:// URL"],
    ["postgresql://app:%zz@one/shop", "stray %"],
  ])("are refused in %s", (text, message) => {
    expect(() => targetFromUrl(text, "connection")).toThrow(message);
  });
});

describe("the TLS mode of a pool", () => {
  const mode = (host: string, parameters: string, allow = false) => {
    const target = targetFromUrl(`postgresql://app@${host}/shop?${parameters}`, "connection");
    const connection = connectionTo({ host, port: 5432 }, target, allow);
    return [connection.sslmode, connection.sslrootcert];
  };

  it.each([
    ["db.example", "", ["verify-full", undefined]],
    ["db.example", "sslrootcert=ca.pem", ["verify-full", "ca.pem"]],
    ["db.example", "sslmode=require&sslrootcert=ca.pem", ["verify-ca", "ca.pem"]],
    ["db.example", "sslmode=verify-ca&sslrootcert=ca.pem", ["verify-ca", "ca.pem"]],
    ["127.0.0.1", "", ["disable", undefined]],
    ["127.0.0.1", "sslmode=require", ["require", undefined]],
    ["localhost", "sslmode=verify-full&sslrootcert=ca.pem", ["verify-full", "ca.pem"]],
  ])("for %s with %j verifies as libpq does, or better", (host, parameters, expected) => {
    expect(mode(host, parameters)).toEqual(expected);
  });

  it.each(["require", "prefer", "allow", "disable"])("%s is refused beyond this machine unless allowed", (sslmode) => {
    expect(() => mode("db.example", `sslmode=${sslmode}`)).toThrow("does not verify the server db.example");
    expect(mode("db.example", `sslmode=${sslmode}`, true)[0]).toBe(sslmode === "disable" ? "disable" : "require");
  });
});
