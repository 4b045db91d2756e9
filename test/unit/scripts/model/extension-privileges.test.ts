import { expect, it } from "vitest";
import { planExtensionPrivileges } from "../../../../scripts/model/extension-privileges.ts";

it("an extension that every role can use gets no privileges", () => {
  expect(planExtensionPrivileges("shop", [{ name: "pg_trgm" }, { name: "pgcrypto", schema: "public" }])).toEqual([]);
});

it("an extension in a schema of its own is open to the roles that query tables", () => {
  expect(planExtensionPrivileges("shop", [{ name: "vector", schema: "extensions" }])).toEqual(
    ["shop_owner", "shop_app", "shop_readonly"].map((role) => ({
      ...{ extension: "vector", role, on: "schema", privileges: ["USAGE"] },
    })),
  );
});

it("pg_partman's schema and tables are the owner's to use, and no one else's", () => {
  expect(planExtensionPrivileges("shop", [{ name: "pg_partman", schema: "partman" }])).toEqual([
    { extension: "pg_partman", role: "shop_owner", on: "schema", privileges: ["USAGE", "CREATE"] },
    {
      ...{ extension: "pg_partman", role: "shop_owner", on: "table" },
      privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"],
    },
  ]);
});

it("only the migrator can schedule jobs, because jobs of the owner could not log in", () => {
  expect(planExtensionPrivileges("shop", [{ name: "pg_cron" }])).toEqual([
    { extension: "pg_cron", role: "shop_migrator", on: "schema", privileges: ["USAGE"] },
  ]);
});
