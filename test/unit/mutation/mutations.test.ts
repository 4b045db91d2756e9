import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cloneRoot } from "../../clone-root.ts";
import { mutationFault } from "../../mutation/mutation.ts";
import { databaseMutations } from "../../mutation/mutations/databases.ts";
import { infraMutations } from "../../mutation/mutations/infra.ts";
import { scriptMutations } from "../../mutation/mutations/scripts.ts";

const mutations = [...databaseMutations, ...infraMutations, ...scriptMutations];

it("every listed mutation fits the code, so that the list is never out of date", async () => {
  const faults = await Promise.all(mutations.map((mutation) => mutationFault(cloneRoot, mutation)));
  expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
});

it("the tests of every listed mutation exist", () => {
  const tests = new Set(mutations.flatMap((mutation) => mutation.tests));
  expect([...tests].filter((path) => !existsSync(join(cloneRoot, path)))).toEqual([]);
});
