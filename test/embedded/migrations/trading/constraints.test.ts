import { describeConstraints } from "../describe-constraints.ts";
import { insert } from "../table-cases.ts";
import { auditCases } from "./cases/audit.ts";
import { liquidityCases } from "./cases/liquidity.ts";
import { marketCases } from "./cases/market.ts";
import { peopleAndAccountsCases } from "./cases/people-and-accounts.ts";
import { riskCases } from "./cases/risk.ts";
import { seeded } from "./cases/seeded.ts";

const cases = [...peopleAndAccountsCases, ...marketCases, ...auditCases, ...liquidityCases, ...riskCases];
const { workingOrder, newUser, newInstrument, newProvider, newFill, otherNewFill } = seeded;
const copies = { users: newUser, instruments: newInstrument, liquidity_providers: newProvider };

describeConstraints("trading", cases, {
  prepare: async ({ migrator }) => {
    for (const [table, id] of Object.entries(copies))
      await insert(migrator, table, { ...cases.find((each) => each.table === table)?.row(9), id });
    for (const id of [newFill, otherNewFill]) {
      const fill = { id, order_id: workingOrder, venue: "TEST", execution_id: id, quantity: "0.1", price: 1 };
      await insert(migrator, "order_fills", fill);
    }
  },
});
