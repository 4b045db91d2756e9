import { describe, expect, it } from "vitest";
import { planPoolerSize, poolerConfiguration, poolerMemory, poolerUsers } from "../../../../infra/plan/pooler.ts";

const server = { max_connections: "200", reserved_connections: "3" };

describe("the plan of a pooler", () => {
  it("shares four fifths of the connections that are not reserved among the databases", () => {
    expect(planPoolerSize(server, 1, { maxClients: 9 })).toEqual({ connectionsPerDatabase: 153, maxClients: 9 });
    expect(planPoolerSize(server, 4, { maxClients: 9 }).connectionsPerDatabase).toBe(38);
    expect(planPoolerSize({}, 1, { maxClients: 9 }).connectionsPerDatabase).toBe(75);
  });

  it("gives each database the requested number of connections", () => {
    expect(planPoolerSize(server, 4, { maxClients: 9, poolSize: 10 }).connectionsPerDatabase).toBe(10);
  });

  it("refuses more connections than the server accepts", () => {
    expect(() => planPoolerSize(server, 4, { maxClients: 9, poolSize: 48 })).not.toThrow();
    expect(() => planPoolerSize(server, 4, { maxClients: 9, poolSize: 49 })).toThrow(
      /up to 198 connections \(49 for each of 4 databases, 2 to look up logins\), but the server accepts 194/,
    );
    expect(() => planPoolerSize({ max_connections: "12" }, 4, { maxClients: 9 })).toThrow(/accepts 9 /);
  });

  it("gives the container memory for each client", () => {
    expect(poolerMemory(2_000)).toBe(189);
  });

  it("lists only the stack's databases and postgres, and contains no password", () => {
    const text = poolerConfiguration({
      databases: ["shop", "kyb"],
      user: "pooler",
      ...{ connectionsPerDatabase: 7, maxClients: 9 },
    });
    expect(text.match(/^\w+ = host=.*$/gm)).toEqual([
      "shop = host=postgres port=5432 dbname=shop",
      "kyb = host=postgres port=5432 dbname=kyb",
      "postgres = host=postgres port=5432 dbname=postgres pool_size=2 max_db_connections=2",
    ]);
    expect(text).toContain("default_pool_size = 7\nmax_db_connections = 7\n");
    expect(text).not.toMatch(/password *=/);
  });

  it("quotes names and passwords of the user list", () => {
    expect(poolerUsers("pooler", 'a"b')).toBe('"pooler" "a""b"\n');
  });
});
