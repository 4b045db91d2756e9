import { describe, expect, it } from "vitest";
import { attributesFound } from "../../../../scripts/stack/adoption.ts";

const role = "postgresql:index/role:Role";
const database = "postgresql:index/database:Database";

/** Attributes of a plain CREATE ROLE, as the provider returns them. */
const plainRole = {
  login: false,
  superuser: false,
  inherit: true,
  connectionLimit: -1,
  validUntil: "infinity",
  roles: [],
  assumeRole: "",
  searchPaths: [],
  statementTimeout: 0,
};

describe("the attributes found on adoption", () => {
  it("of a role are PostgreSQL's words, without the defaults", () => {
    expect(attributesFound(role, plainRole)).toEqual(["NOLOGIN"]);
    expect(
      attributesFound(role, {
        ...plainRole,
        login: true,
        superuser: true,
        bypassRowLevelSecurity: true,
        inherit: false,
        connectionLimit: 0,
        validUntil: "2030-01-01 00:00:00+00",
        roles: ["a", "b"],
        assumeRole: "a",
        searchPaths: ["x", "public"],
        statementTimeout: 5_000,
        idleInTransactionSessionTimeout: 100,
      }),
    ).toEqual([
      "LOGIN",
      "SUPERUSER",
      "BYPASSRLS",
      "NOINHERIT",
      "connection limit 0",
      "valid until 2030-01-01 00:00:00+00",
      "member of a, b",
      "acts as a",
      "search_path x, public",
      "statement_timeout 5000 ms",
      "idle_in_transaction_session_timeout 100 ms",
    ]);
  });

  it("never include a password", () => {
    expect(attributesFound(role, { ...plainRole, password: "SCRAM-SHA-256$4096:x" })).toEqual(["NOLOGIN"]);
  });

  it("of a database begin with its owner", () => {
    expect(
      attributesFound(database, {
        owner: "ana",
        encoding: "UTF8",
        lcCollate: "C",
        tablespaceName: "pg_default",
        connectionLimit: -1,
        allowConnections: true,
        isTemplate: false,
      }),
    ).toEqual(["owner ana", "encoding UTF8", "collation C"]);
    expect(
      attributesFound(database, {
        owner: "ana",
        tablespaceName: "fast",
        connectionLimit: 7,
        allowConnections: false,
        isTemplate: true,
      }),
    ).toEqual(["owner ana", "tablespace fast", "connection limit 7", "no connections allowed", "template"]);
  });

  it("of other types are empty", () => {
    expect(attributesFound("postgresql:index/schema:Schema", { owner: "ana" })).toEqual([]);
  });
});
