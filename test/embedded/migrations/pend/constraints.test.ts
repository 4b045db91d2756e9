import { describeConstraints } from "../describe-constraints.ts";
import { insert } from "../table-cases.ts";
import { moneyCases } from "./cases/money.ts";
import { operationsCases } from "./cases/operations.ts";
import { peopleCases } from "./cases/people.ts";
import { seeded } from "./cases/seeded.ts";

const cases = [...peopleCases, ...moneyCases, ...operationsCases];
const users = cases.find(({ table }) => table === "users");

describeConstraints("pend", cases, {
  prepare: async ({ migrator }) => {
    await insert(migrator, "users", { ...users?.row(8), id: seeded.newUser });
    await insert(migrator, "users", { ...users?.row(9), id: seeded.otherNewUser });
  },
});
