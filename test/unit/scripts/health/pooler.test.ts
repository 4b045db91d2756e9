import { describe, expect, it } from "vitest";
import { failedLoginsIn, judgePooler, type PoolerPool, parseConsole } from "../../../../scripts/health/pooler.ts";

const console = [
  "database\tuser\tcl_active\tcl_waiting\tsv_active\tsv_idle\tsv_used\tsv_tested\tsv_login\tmaxwait\tmaxwait_us\tpool_mode",
  "pgbouncer\tpgbouncer\t1\t0\t0\t0\t0\t0\t0\t0\t0\tstatement",
  "shop\tshop_app\t3\t2\t4\t1\t2\t0\t0\t7\t12\ttransaction",
  "key\tvalue\tdefault\tchangeable",
  "max_client_conn\t300\t100\tyes",
  "",
].join("\n");

/* Lines of PgBouncer 1.24. */
const log = `2026-01-01 12:00:00.579 UTC [1] LOG listening on 127.0.0.1:6432
2026-01-01 12:03:28.661 UTC [1] WARNING server login failed: FATAL role "shop_app" is not permitted to log in
2026-01-01 12:03:28.662 UTC [1] WARNING C-0x56411c6e4260: shop/shop_app@10.0.0.1:44050 pooler error: role "shop_app" is not permitted to log in
2026-01-01 12:03:31.156 UTC [1] WARNING C-0x56411c6e4260: shop/shop_app@10.0.0.1:34258 pooler error: server login has been failing, cached error: role "shop_app" is not permitted to log in (server_login_retry)
2026-01-01 12:03:40.000 UTC [1] WARNING server login failed: FATAL password authentication failed for user "shop_readonly"
`;

describe("the pooler of a stack, as a subject of health", () => {
  const pool: PoolerPool = {
    ...{ database: "shop", user: "shop_app", clients: 5, waitingClients: 2 },
    ...{ longestWaitSeconds: 7, serverConnections: 7 },
  };

  it("is read from PgBouncer's console by the names of its columns", () => {
    expect(parseConsole(console)).toEqual({ maxClients: 300, pools: [pool] });
    expect(() => parseConsole("something else")).toThrow("unknown answer");
  });

  it("has the failed logins at the server of the last five minutes, with those whose failure was kept", () => {
    const refused = { reason: 'role "shop_app" is not permitted to log in', count: 2 };
    const wrong = { reason: 'password authentication failed for user "shop_readonly"', count: 1 };
    expect(failedLoginsIn(log, new Date("2026-01-01T12:05:00Z"))).toEqual([refused, wrong]);
    expect(failedLoginsIn(log, new Date("2026-01-01T12:08:35Z"))).toEqual([wrong]);
    expect(failedLoginsIn(log, new Date("2026-01-01T12:09:00Z"))).toEqual([]);
  });

  it.each([
    ["ok", { ...pool, longestWaitSeconds: 1 }, [], /^5 of 20 clients, 2 wait, 7 server connections$/],
    ["warning", pool, [], /; clients of shop_app wait 7 s for shop$/],
    ["warning", { ...pool, longestWaitSeconds: 0, clients: 17 }, [], /; near the limit of clients$/],
    ["warning", { ...pool, longestWaitSeconds: 0 }, [{ reason: "no", count: 3 }], /; 3 failed logins .*: no$/],
  ] as const)("is %s if this was found: %j %j", (level, found, failedLogins, detail) => {
    const state = { maxClients: 20, pools: [found], failedLogins: [...failedLogins] };
    expect(judgePooler(state)).toEqual([level, expect.stringMatching(detail)]);
  });

  it("is critical if PgBouncer does not answer", () => {
    expect(judgePooler({ down: "no socket" })).toEqual(["critical", "PgBouncer does not answer: no socket"]);
  });
});
