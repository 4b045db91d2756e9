import pg, { type Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planMemory } from "../../../infra/plan/tuning.ts";
import { canServe, type IndexQueries, indexesToQuery } from "./index-queries.ts";
import { readKeysAndIndexes } from "./keys-and-indexes.ts";
import { type MigratedDatabase, startMigratedDatabase } from "./migrated-database.ts";
import { type DatabaseQueries, indexesDue, listQueries } from "./named-queries.ts";
import { explain, planFaults, prepare } from "./query-plan.ts";
import { runVolume, settleVolume } from "./volume.ts";

/**
 * Rows of the main table: enough for an index to be faster, few enough to run at every change. `npm run bench` uses
 * more.
 */
const rows = 20_000;

/**
 * Defines the tests of query plans. A database's plans.test.ts calls `describePlans("name", queries, indexQueries)`
 * with the lists from queries.ts and index-queries.ts in its folder.
 */
export function describePlans(name: string, queries: DatabaseQueries, indexQueries: IndexQueries): void {
  let database: MigratedDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await startMigratedDatabase(name, ["reference"]);
    const { superuser, migrator, connect, server } = database;
    await runVolume(migrator, name, rows);
    await settleVolume(superuser, migrator);
    // The planner's choice depends on the cost of a random read, which `up` sets for every server.
    await superuser.query(`alter database ${pg.escapeIdentifier(name)} set random_page_cost = ${randomPageCost()}`);
    client = await connect(server.as("app", name));
  });
  afterAll(() => database?.stop());

  describe("the plans of the named queries", () => {
    for (const query of listQueries(queries)) {
      const due = indexesDue(query, rows);
      it(`${query.group}, ${query.name}: ${due.length > 0 ? `reads ${due.join(", ")}` : "finds something"}`, async () => {
        expect(planFaults(await explain(client, await prepare(client, query)), query, rows)).toEqual([]);
      });
    }
  });

  describe("the indexes", () => {
    it("have a query each, or support a key", async () => {
      const needed = indexesToQuery(await readKeysAndIndexes(name), queries);
      expect(Object.keys(indexQueries).sort(), "index-queries.ts has a query for each of these indexes").toEqual(
        needed,
      );
    });

    it.each(Object.entries(indexQueries))("include %s, which serves: %s", async (index, sql) => {
      const definitions = Object.values(await readKeysAndIndexes(name)).map(({ indexes }) => indexes[index] ?? "");
      expect(await canServe(database.superuser, index, definitions.join(""), sql)).toBe(true);
    });
  });
}

function randomPageCost(): string | undefined {
  const machine = { memoryMegabytes: 1024, cpus: 1, os: "linux", hasLz4: false } as const;
  return planMemory({ ...machine, profile: "desktop", storage: "ssd" }).random_page_cost;
}
