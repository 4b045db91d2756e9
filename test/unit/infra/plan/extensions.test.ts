import { expect, it } from "vitest";
import { narrowExtensions } from "../../../../infra/plan/extensions.ts";

const declared = [
  { name: "pg_trgm", optional: false },
  { name: "vector", optional: false },
  { name: "pg_cron", optional: true },
  { name: "hstore", optional: true },
];

it("optional extensions that a server cannot have are left out and named, required ones stay to fail", () => {
  const { extensions, missing } = narrowExtensions(declared, new Set(["pg_trgm", "hstore"]));
  expect(extensions.map(({ name }) => name)).toEqual(["pg_trgm", "vector", "hstore"]);
  expect(missing).toEqual(["pg_cron"]);
});

it("extensions that a server has stay as they were declared", () => {
  const all = new Set(declared.map(({ name }) => name));
  expect(narrowExtensions(declared, all)).toEqual({ extensions: declared, missing: [] });
  expect(narrowExtensions([], all)).toEqual({ extensions: [], missing: [] });
});
