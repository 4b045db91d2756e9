import { expect, it } from "vitest";
import { loadedByChecks } from "../loaded-by-checks.ts";

it("check and diff load no PostgreSQL driver, because every preview starts the plugin", async () => {
  expect(await loadedByChecks("postgresql", "pg/")).toEqual({ types: 6, loaded: [] });
});
