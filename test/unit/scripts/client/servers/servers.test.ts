import { describe, expect, it } from "vitest";
import { backoffMs, connectBackoff } from "../../../../../scripts/client/backoff.ts";
import { createPool } from "../../../../../scripts/client/create-pool.ts";
import { RetryBudget } from "../../../../../scripts/client/retry-budget.ts";
import {
  matchesTarget,
  type TargetSessionAttrs,
  targetSessionAttrs,
} from "../../../../../scripts/client/servers/role.ts";
import { type Server, ServerList } from "../../../../../scripts/client/servers/servers.ts";

const primary = { standby: false, readOnly: false };
const standby = { standby: true, readOnly: false };
const readOnly = { standby: false, readOnly: true };

function list(target: TargetSessionAttrs, count = 2): ServerList {
  const hosts = Array.from({ length: count }, (_, index) => ({ host: `h${index + 1}`, port: 5432 }));
  return new ServerList({ hosts, target, shuffle: false });
}

/** Makes the next attempt, with a result. Returns the host, or undefined if there is none to try. */
function attempt(servers: ServerList, result: (server: Server) => typeof primary | Error): string | undefined {
  const server = servers.choose();
  if (server === undefined) return undefined;
  servers.began(server);
  const found = result(server);
  if (found instanceof Error) servers.failed(server, found);
  else servers.succeeded(server, found);
  return server.host;
}

describe("target_session_attrs", () => {
  it("accepts the roles that libpq accepts", () => {
    const accepted = targetSessionAttrs.map((target) => [
      target,
      [primary, standby, readOnly].map((role) => matchesTarget(role, target)),
    ]);
    expect(Object.fromEntries(accepted)).toEqual({
      any: [true, true, true],
      "read-write": [true, false, false],
      "read-only": [false, true, true],
      primary: [true, false, true],
      standby: [false, true, false],
      "prefer-standby": [false, true, false],
    });
  });
});

describe("the order of the servers", () => {
  it.each([
    ["random", "load_balance_hosts=random", 3],
    ["that of the list", "", 1],
  ])("is %s with the parameters %j", async (_, parameters, expected) => {
    await using pool = createPool({
      env: {},
      connection: `postgresql://app@127.0.0.1:1,127.0.0.1:2,127.0.0.1:3/shop?${parameters}`,
    });
    const first = new Set(Array.from({ length: 200 }, () => pool.servers.choose()?.port));
    expect(first.size).toBe(expected);
  });
});

describe("the list of servers", () => {
  it("tries each server in order, and then waits", () => {
    const servers = list("any");
    const down = () => new Error("refused");
    expect([attempt(servers, down), attempt(servers, down), attempt(servers, down)]).toEqual(["h1", "h2", undefined]);
    expect(servers.describe()).toBe("h1:5432: refused; h2:5432: refused");
  });

  it("leaves a standby for the primary, and comes back after a switchover", () => {
    const servers = list("read-write");
    const demoted: string[] = [];
    servers.on("demoted", ({ host }) => demoted.push(host));
    let leader = "h2";
    const role = ({ host }: Server) => (host === leader ? primary : standby);
    expect([attempt(servers, role), attempt(servers, role), attempt(servers, role)]).toEqual(["h1", "h2", "h2"]);
    leader = "h1";
    // A probe finds the other roles.
    for (const server of servers.servers) servers.succeeded(server, role(server));
    expect(demoted).toEqual(["h2"]);
    expect(attempt(servers, role)).toBe("h1");
  });

  it("makes one attempt at a time to a server that failed, and four to others", () => {
    const servers = list("any", 1);
    const [server] = servers.servers;
    if (server === undefined) throw new Error("the list is empty");
    for (let index = 0; index < 4; index += 1) {
      expect(servers.choose()).toBe(server);
      servers.began(server);
    }
    expect(servers.choose()).toBeUndefined();
    for (let index = 0; index < 4; index += 1) servers.failed(server, new Error("refused"));
    expect(servers.choose()).toBeUndefined();
    const later = performance.now() + 10_000;
    expect(servers.choose(later)).toBe(server);
    servers.began(server);
    expect(servers.choose(later)).toBeUndefined();
  });

  it("accepts any server for prefer-standby only after all were tried", () => {
    const servers = list("prefer-standby");
    const [first, second] = servers.servers;
    if (first === undefined || second === undefined) throw new Error("the list is empty");
    expect(servers.accepts(first, primary)).toBe(false);
    expect(attempt(servers, () => primary)).toBe("h1");
    expect(servers.accepts(second, primary)).toBe(true);
    expect(attempt(servers, () => new Error("refused"))).toBe("h2");
    expect(servers.choose()).toBe(first);
    expect(servers.accepts(first, primary)).toBe(true);
  });
});

describe("the backoff", () => {
  it("doubles up to its limit, is spread, and makes at most 100 attempts in 60 s", () => {
    expect(backoffMs(1, connectBackoff, 1)).toBe(50);
    expect(backoffMs(100, connectBackoff, 1)).toBe(950);
    let time = 0;
    let attempts = 4;
    for (let failures = 1; time < 60_000; failures += 1) {
      attempts += 1;
      time += backoffMs(failures, connectBackoff, 0.5);
    }
    expect(attempts).toBeLessThanOrEqual(100);
  });
});

describe("the retry budget", () => {
  it("gives a burst, then a steady rate, and refuses what would come after the deadline", async () => {
    const budget = new RetryBudget(5);
    const soon = performance.now() + 100;
    const first = await Promise.all(Array.from({ length: 12 }, () => budget.take(soon)));
    expect(first.filter(Boolean)).toHaveLength(10);
    const started = performance.now();
    expect(await budget.take(started + 1_000)).toBe(true);
    expect(performance.now() - started).toBeGreaterThan(100);
    expect(await new RetryBudget(0).take(soon)).toBe(false);
  });
});
