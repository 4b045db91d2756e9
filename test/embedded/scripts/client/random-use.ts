import { expect } from "vitest";
import { OutcomeUnknownError } from "../../../../scripts/client/errors.ts";
import { kyselyOn } from "../../../../scripts/client/kysely.ts";
import type { PoolServer } from "./pool-server.ts";

/** Settings that users change, and that must not reach the next user. */
const settings = ["app.user_id", "work_mem", "statement_timeout", "search_path", "lock_timeout"];
const shown = settings.map((name) => `current_setting('${name}', true) as "${name}"`).join(", ");

/**
 * Uses a pool in random ways: statements, transactions, clients and Kysely, with errors, aborts, timeouts, changed
 * settings, forgotten transactions and cut connections. Afterwards, every client is back and clean, and each key was
 * written as often as its writer was told.
 */
export async function useAtRandom(on: PoolServer, runs: number, random: () => number): Promise<void> {
  const proxy = await on.proxy();
  const pool = on.pool({ max: 6, retriesPerSecond: 1_000, queryTimeoutMs: 5_000 }, proxy.port);
  const { rows: clean } = await pool.query(`select ${shown}`);
  const database = kyselyOn<{ writes: { key: string } }>(pool);
  const prefix = `random-${Math.floor(random() * 1e9)}-`;
  const acknowledged = new Set<string>();
  const unknown = new Set<string>();
  const unexpected: unknown[] = [];
  let keys = 0;

  const insert = { text: "insert into writes (key) values ($1)" };
  const write = async (run: (key: string) => Promise<unknown>) => {
    const key = `${prefix}${++keys}`;
    try {
      await run(key);
      acknowledged.add(key);
    } catch (error) {
      if (error instanceof OutcomeUnknownError) unknown.add(key);
      // A lost connection during Kysely's own transactions is an error, and nothing was written.
      else if (!isExpected(error)) unexpected.push(error);
    }
  };
  const signal = () => AbortSignal.timeout(1 + Math.floor(random() * 5));
  const actions: (() => Promise<unknown>)[] = [
    () => write((key) => pool.query({ ...insert, values: [key] })),
    () => write((key) => pool.transaction((transaction) => transaction.query(insert.text, [key]))),
    () => write((key) => database.transaction().execute((each) => each.insertInto("writes").values({ key }).execute())),
    () => write((key) => pool.batch([{ ...insert, values: [key] }])),
    () => pool.query("select 1 / 0"),
    () => pool.query({ text: "select pg_sleep(0.01)", signal: signal(), readOnly: true }),
    () => pool.transaction((transaction) => transaction.query("select pg_sleep(0.01)"), { signal: signal() }),
    () => pool.query({ text: "select $1::int", values: [1], prepare: true, readOnly: true }),
    () => pool.withClient((client) => client.query("begin; set local work_mem = '77MB'")),
    () => pool.withClient((client) => client.query("set work_mem = '77MB'; set search_path = nowhere; select 1 / 0")),
    () => pool.query("select set_config('app.user_id', 'someone', false), set_config('lock_timeout', '7', false)"),
    () => pool.transaction((transaction) => transaction.query("set statement_timeout = '7min'")),
    async () => {
      const client = await pool.connect();
      try {
        await client.query("select 1 / 0");
      } finally {
        client.release();
      }
    },
    async () => {
      for await (const { x } of pool.stream<{ x: number }>("select x from generate_series(1, 1000) as x"))
        if (x > 150) break;
    },
    async () => {
      if (random() < 0.2) proxy.cutAll();
    },
  ];
  let done = 0;
  const worker = async () => {
    while (done < runs) {
      done += 1;
      const action = actions[Math.floor(random() * actions.length)];
      await action?.().catch((error: unknown) => {
        if (!isExpected(error)) unexpected.push(error);
      });
    }
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  expect(unexpected).toEqual([]);
  await expect.poll(() => pool.stats).toMatchObject({ used: 0, waiting: 0 });
  const all = await Promise.all(Array.from({ length: 6 }, () => pool.query(`select ${shown}, pg_sleep(0.05)`)));
  for (const { rows } of all)
    expect({ ...rows[0], pg_sleep: undefined, "app.user_id": rows[0]?.["app.user_id"] || null }).toEqual({
      ...clean[0],
      pg_sleep: undefined,
    });
  const written = await on.written(prefix);
  expect([...written.values()].every((count) => count === 1)).toBe(true);
  expect([...acknowledged].filter((key) => !written.has(key))).toEqual([]);
  expect([...written.keys()].filter((key) => !acknowledged.has(key) && !unknown.has(key))).toEqual([]);
}

/** Returns true for the errors that the actions provoke. */
function isExpected(error: unknown): boolean {
  const { code = "", name, message } = error as { code?: string; name: string; message: string };
  if (["22012", "57014", "3F000"].includes(code) || ["AbortError", "TimeoutError"].includes(name)) return true;
  return (
    /was returned in a transaction|transaction was rolled back|Connection terminated|ECONNRESET|is not queryable/.test(
      `${message} ${code}`,
    ) || error instanceof OutcomeUnknownError
  );
}
