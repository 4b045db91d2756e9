import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { chain, type Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { type Clone, type CloneOptions, makeClone } from "../../clone.ts";

/** Drafts of the committed files of {@link makeShop}, in order. */
export const shopDrafts: readonly Draft[] = [
  {
    name: "products",
    body: "create table product (id integer primary key, name text not null unique, price numeric(12, 2) not null check (price >= 0));",
  },
  {
    name: "orders",
    body: `create table customer_order (
  id integer generated always as identity primary key,
  product_id integer not null references product (id),
  amount integer not null check (amount > 0)
);
create index on customer_order (product_id);`,
  },
];

/**
 * Settings of every shop. Little memory, because several servers run at once; no fsync, because no test cuts the power.
 */
export const shopSettings = { databases: ["shop"], memory: 512, maxConnections: 30, postgresql: { fsync: "off" } };

/** Settings of a protected shop, which refuses invented data and settings that give up durability. */
export const protectedShopSettings = {
  ...shopSettings,
  ...{ postgresql: {}, seeds: ["reference"], protected: true, airgap: true },
};

const seeds = {
  "reference/010-products.sql": `--! Title: products

insert into product (id, name, price) values (1, 'tea', 3.50), (2, 'coffee', 4.20) on conflict (id) do nothing;
`,
  "dev/010-orders.sql": `--! Title: orders to look at
--! Login: buyer@example.com / buyer-dev-only

insert into customer_order (product_id, amount)
  select id, 2 from product where not exists (select from customer_order);
`,
};

/** Creates a project with one small database: two migrations, a seed file in each of two sets, one extension. */
export async function makeShop(options: CloneOptions = {}): Promise<Clone> {
  const clone = await makeClone(options);
  await clone.write(
    "migrations/shop/database.json",
    JSON.stringify({ extensions: ["citext"], seedSets: ["reference", "dev"] }),
  );
  await commit(clone, shopDrafts);
  for (const [file, text] of Object.entries(seeds)) await clone.write(join("migrations/shop/seeds", file), text);
  if (options.git) {
    await clone.shell(
      "git add --all && git -c user.name=test -c user.email=test@example.com commit --quiet --message shop",
    );
  }
  await clone.configure(shopSettings);
  return clone;
}

/** Makes the next migrations of the shop wait before their first file until they are released. */
export async function holdMigrations(clone: Clone): Promise<{ begun(): Promise<void>; release(): Promise<void> }> {
  const goOn = join(clone.dataHome, "go-on");
  const command = `touch ${goOn}.begun; while [ ! -e ${goOn} ]; do sleep 0.1; done`;
  const hooks = { beforeAllMigrations: [{ _: "command", command }] };
  await clone.write("migrations/shop/.gmrc", JSON.stringify({ migrationsFolder: ".", ...hooks }));
  return {
    begun: () => expect.poll(() => existsSync(`${goOn}.begun`), { timeout: 120_000, interval: 20 }).toBe(true),
    release: () => writeFile(goOn, ""),
  };
}

/** Writes files as the only committed migrations of the shop. */
export async function commit(clone: Clone, drafts: readonly Draft[]): Promise<string[]> {
  const files = chain(drafts);
  for (const { filename, text } of files) await clone.write(join("migrations/shop/committed", filename), text);
  return files.map(({ filename }) => filename);
}
