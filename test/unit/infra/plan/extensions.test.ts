import { expect, it } from "vitest";
import { narrowExtensions } from "../../../../infra/plan/extensions.ts";

const declared = [
  { name: "pg_trgm", optional: false },
  { name: "vector", optional: false },
  { name: "pg_cron", optional: true },
  { name: "hstore", optional: true },
];

it("extensions that a server cannot have are left out and named, optional and required ones separately", () => {
  const { extensions, missing, impossible } = narrowExtensions(declared, new Set(["pg_trgm", "hstore"]));
  expect(extensions.map(({ name }) => name)).toEqual(["pg_trgm", "hstore"]);
  expect(missing).toEqual(["pg_cron"]);
  expect(impossible).toEqual(["vector"]);
});

it("extensions that a server can have stay as they are declared", () => {
  const all = new Set(declared.map(({ name }) => name));
  expect(narrowExtensions(declared, all)).toEqual({ extensions: declared, missing: [], impossible: [] });
  expect(narrowExtensions([], all)).toEqual({ extensions: [], missing: [], impossible: [] });
});
