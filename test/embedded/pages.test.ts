import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeBlocksOf, pages, scriptOf } from "../support/code-blocks.ts";
import { type Clone, makeClone } from "./clone.ts";
import { shopSettings } from "./infra/program/shop.ts";

/** The user id of `nobody`, whose name every machine knows. */
const nobody = 65_534;

/** An application, as a user has it. */
const application = `import pg from "pg";
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
const { rows } = await client.query("select current_user as role");
console.log("connected as", rows[0].role);
await client.end();
`;

/** Lets the blocks in TypeScript, which run as programs, use the database `shop` by its URL. */
const asApplication = `url="$(npm run -s pgw -- url -d shop -r migrator)"
node() { AUTO_MIGRATE=true DATABASE_URL="$url" command node "$@"; }`;

/** A program that creates the table of the examples, as a migration does. */
const withGoods = `import pg from "pg";
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
await client.query(\`create table goods (id integer generated always as identity primary key,
  name text not null unique, price numeric(12, 2) not null);
insert into goods (name, price) values ('tea', 3.50), ('coffee', 4.20)\`);
await client.end();
`;

/** Commands that prepare what a page assumes. The README leaves a stack with the empty database `store`. */
const before: Record<string, string> = {
  "migrations/README.md": `npm run pgw -- database rename store shop
npm run pgw -- database rename store shop --on-server
npm run up
${asApplication}`,
  "scripts/package/README.md": asApplication,
  "scripts/client/applications.md": `cat >create-goods.js <<'END'
${withGoods}END
DATABASE_URL="$(npm run -s pgw -- url -d shop -r migrator)" node create-goods.js`,
};

describe("the commands in the pages", () => {
  let clone: Clone;
  beforeAll(async () => {
    // An ordinary user. PostgreSQL and some paths differ for root.
    const uid = process.getuid?.() === 0 ? { uid: nobody } : {};
    clone = await makeClone({ git: true, ...uid });
    const { memory, maxConnections, postgresql } = shopSettings;
    await clone.configure({ memory, maxConnections, postgresql });
    await clone.write("app.js", application);
    // psql is not needed to test that the command starts it.
    await clone.shell("command -v psql || (mkdir bin && printf '#!/bin/sh\\n' >bin/psql && chmod +x bin/psql)");
    clone.env.PATH = `${clone.root}/node_modules/.bin:${clone.env.PATH}:${clone.root}/bin`;
  });
  afterAll(() => clone?.remove());

  const tested = pages().filter((page) => runnable(page).length > 0);

  it.each(tested)("run as they are, in one shell: %s", async (page) => {
    const { code, stdout, stderr } = await clone.shell(scriptOf(runnable(page), before[page]));
    expect(code, `${stdout}\n${stderr}`).toBe(0);
  });
});

function runnable(page: string) {
  return codeBlocksOf(page).filter(({ mark, language }) => mark === "run" && (language === "sh" || language === "ts"));
}
