import type { Client } from "pg";
import { extensionCatalog } from "../../../../scripts/model/extension-catalog.ts";
import { commit, shopDrafts } from "../../../embedded/infra/program/shop.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";
import { extensionUses } from "./extension-uses.ts";

/** Extensions with a schema of their own. */
const schemas: Readonly<Record<string, string>> = { hstore: "extensions", pg_partman: "partman" };

/** Schedules a job as a migration must: as its login, because the owner cannot log in. */
export const jobsDraft = {
  name: "jobs",
  body: `create table beat (who text not null);
set local role none;
select cron.schedule('beat', '1 second', $$insert into beat values (session_user || ' as ' || current_user)$$);
reset role;
create table after_job (id integer);`,
};

/** Creates a Docker stack of the shop with these extensions, in the order of the catalog. */
export async function makeExtendedShop(
  wanted: (name: string) => boolean,
  settings: Record<string, unknown> = {},
): Promise<DockerStack> {
  const shop = await makeDockerStack();
  const extensions = Object.keys(extensionCatalog)
    .filter(wanted)
    .map((name) => (schemas[name] === undefined ? name : { name, schema: schemas[name] }));
  await shop.clone.write(
    "migrations/shop/database.json",
    JSON.stringify({ extensions, seedSets: ["reference", "dev"] }),
  );
  await commit(shop.clone, wanted("pg_cron") ? [...shopDrafts, jobsDraft] : shopDrafts);
  await shop.configure({ postgresql: { "pgaudit.log": "ddl" }, ...settings });
  return shop;
}

/** Uses an extension in a transaction that is rolled back. Returns the value of the last statement. */
export async function use(client: Client, name: string, password: string): Promise<string> {
  const { sql = "" } = extensionUses[name] ?? {};
  await client.query("begin");
  try {
    const results: unknown = await client.query(sql.replaceAll("PASSWORD", password));
    const last = Array.isArray(results) ? results.at(-1) : results;
    return String(Object.values(last.rows[0])[0]);
  } finally {
    await client.query("rollback");
  }
}
