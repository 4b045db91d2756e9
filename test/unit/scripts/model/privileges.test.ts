import { describe, expect, it } from "vitest";
import { databaseRoles, roleName, serverRoles } from "../../../../scripts/model/names.ts";
import { planPrivileges, serverRolePlans } from "../../../../scripts/model/privileges.ts";

const plan = planPrivileges("shop");

describe("the privilege plan of a database", () => {
  it("has the roles of the matrix, and only the owner cannot log in", () => {
    expect(Object.keys(plan.roles)).toEqual([...databaseRoles]);
    const logins = Object.values(plan.roles).filter(({ login }) => login);
    expect(logins.map(({ name }) => name)).toEqual(["shop_migrator", "shop_app", "shop_readonly"]);
    for (const role of databaseRoles) expect(plan.roles[role].name).toBe(roleName("shop", role));
  });

  it("makes only the migrator a member of the owner", () => {
    const members = Object.values(plan.roles).filter(({ memberOf }) => memberOf.length > 0);
    expect(members).toEqual([{ name: "shop_migrator", login: true, memberOf: ["shop_owner"], assumes: "shop_owner" }]);
  });

  it("limits idle transactions of applications only, and of none by default", () => {
    const limited = Object.values(planPrivileges("shop", 60).roles).filter((each) => each.idleInTransactionSeconds);
    expect(limited.map(({ name }) => name)).toEqual(["shop_app", "shop_readonly"]);
    expect(Object.values(plan.roles).filter((each) => each.idleInTransactionSeconds)).toEqual([]);
  });

  it("revokes from PUBLIC before it grants to roles", () => {
    const revocations = plan.grants.filter(({ privileges }) => privileges.length === 0);
    expect(plan.grants.slice(0, revocations.length)).toEqual(revocations);
    expect(revocations.map(({ role, on }) => `${role} ${on}`)).toEqual(["public database", "public schema"]);
    const closed = plan.defaults.filter(({ privileges }) => privileges.length === 0);
    expect(plan.defaults.slice(0, closed.length)).toEqual(closed);
    expect(
      closed.map(({ role, on, everywhere }) => `${role} ${on} ${everywhere ? "everywhere" : "in schema"}`),
    ).toEqual([
      "public function everywhere",
      "public table everywhere",
      "public sequence everywhere",
      "public function in schema",
      "public table in schema",
      "public sequence in schema",
    ]);
  });

  it("lets only the owner create objects, and the migrator through it", () => {
    const given = [...plan.grants, ...plan.defaults].filter(({ role }) => role !== "shop_owner");
    expect([...new Set(given.flatMap(({ privileges }) => privileges))].sort()).toEqual([
      "CONNECT",
      "DELETE",
      "EXECUTE",
      "INSERT",
      "SELECT",
      "UPDATE",
      "USAGE",
    ]);
    expect(plan.grants.filter(({ role }) => role === "shop_owner")).toEqual([
      { role: "shop_owner", on: "schema", privileges: ["CREATE", "USAGE"] },
    ]);
  });

  it("has each grant once", () => {
    const keys = [
      ...plan.grants.map(({ role, on }) => `${role} on ${on}`),
      ...plan.defaults.map(({ role, on, everywhere }) => `${role} default ${on} ${everywhere}`),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("shares no role name with another database or with the server's own roles", () => {
    const names = ["shop", "shop_app"].flatMap((name) =>
      Object.values(planPrivileges(name).roles).map((role) => role.name),
    );
    const own = serverRoles.map((role) => serverRolePlans[role].name);
    expect(new Set([...names, ...own]).size).toBe(10);
  });
});
