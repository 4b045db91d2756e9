import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type CompiledQuery,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import { expect, it } from "vitest";
import { withRequestContext } from "../../../scripts/client/context.ts";
import { cloneRoot } from "../../clone-root.ts";

/*
 * Calls every function of migrations/<database>/data with a hostile text for each parameter and for each field of
 * objects, and reads the statements that it would send. What a server answers is made up, so that functions go on.
 */

const hostile = `h0stile'; drop table users; -- " \\ $1 {}`;

interface Sent {
  sql: string;
  values: readonly unknown[];
}

/** An object each of whose fields is the hostile text. */
const hostileObject: object = new Proxy(
  {},
  {
    get: (_, key) => {
      if (key === Symbol.toPrimitive || key === "toString") return () => hostile;
      return typeof key === "symbol" || key === "then" || key === "toJSON" ? undefined : hostile;
    },
    ownKeys: () => ["id", "status"],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: hostile }),
  },
);

/** A database that records what it is sent, and answers each statement with one hostile row. */
function recorder() {
  const sent: Sent[] = [];
  const answer = (sql: string, values: readonly unknown[]) => {
    sent.push({ sql, values });
    return { command: "SELECT", rowCount: 1, rows: [hostileObject] };
  };
  const connection = {
    executeQuery: async ({ sql, parameters }: CompiledQuery) => ({ rows: answer(sql, parameters).rows as never[] }),
    streamQuery: () => {
      throw new Error("nothing streams");
    },
  };
  const nothing = async () => {};
  const driver: Driver = {
    ...{ init: nothing, destroy: nothing, releaseConnection: nothing, acquireConnection: async () => connection },
    ...{ beginTransaction: nothing, commitTransaction: nothing, rollbackTransaction: nothing },
  };
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (database) => new PostgresIntrospector(database),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  const client = { query: async (sql: string, values: readonly unknown[] = []) => answer(sql, values) };
  const pool = { transaction: (run: (transaction: unknown) => unknown) => run({ client }) };
  return { sent, db, pool };
}

/** Nothing, and every combination of a hostile text and a hostile object, for the parameters after the first. */
const combinations: unknown[][] = [
  [],
  ...Array.from({ length: 16 }, (_, number) =>
    [1, 2, 4, 8].map((bit) => ((number & bit) === 0 ? hostile : hostileObject)),
  ),
];

async function statementsOf(call: (...given: unknown[]) => unknown): Promise<Sent[]> {
  const { sent, db, pool } = recorder();
  const first = /^(async )?function \w+\(pool\b/.test(String(call)) ? pool : db;
  for (const given of combinations) {
    try {
      await call(first, ...given);
    } catch {
      // The function refused the values, or the made-up answer.
    }
  }
  return sent;
}

const migrations = join(cloneRoot, "migrations");
const folders = readdirSync(migrations, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(join(migrations, entry.name)).includes("data"))
  .map(({ name }) => name);

it.skipIf(folders.length === 0).each(folders)(
  "no function of %s/data writes a value into the text of a statement",
  async (database) => {
    const context = { userId: hostile, apiKeyId: hostile, adminUserId: hostile, sessionId: hostile, clientIp: hostile };
    const silent: string[] = [];
    const faults: string[] = [];
    for (const file of readdirSync(join(migrations, database, "data"))) {
      const module: Record<string, unknown> = await import(
        pathToFileURL(join(migrations, database, "data", file)).href
      );
      for (const [name, call] of Object.entries(module)) {
        if (typeof call !== "function") continue;
        const sent = await withRequestContext(context, () => statementsOf(call as () => unknown));
        if (sent.length === 0) silent.push(`${file}: ${name}`);
        for (const { sql } of sent) if (sql.includes("h0stile")) faults.push(`${file}: ${name}: ${sql}`);
        const isGiven = call.length <= 1 || sent.some(({ values }) => JSON.stringify(values).includes("h0stile"));
        if (!isGiven) silent.push(`${file}: ${name} (no value)`);
      }
    }
    expect(faults).toEqual([]);
    // Otherwise nothing was tested.
    expect(silent).toEqual([]);
  },
);
