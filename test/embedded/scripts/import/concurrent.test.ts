import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { poll } from "../../../../scripts/core/poll.ts";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { failureOf, type ImportCase, type ImportCases, startImportCases } from "./import-cases.ts";

let cases: ImportCases;
beforeAll(async () => {
  cases = await startImportCases();
});
afterAll(() => cases?.stop());

const map: ImportMap = { tables: [{ to: "item", from: "items", columns: { id: "id", v: "v" } }] };
const write = (target: ImportCase, values: Record<string, unknown>) =>
  target.file("items.json", JSON.stringify(Object.entries(values).map(([id, v]) => ({ id, v }))));

/**
 * Begins a transaction of someone else, and ends it when a session of the import waits for one of its locks.
 *
 * @returns the promise of its end
 */
async function otherUntilBlocked(
  target: ImportCase,
  sql: string,
  end: "commit" | "rollback",
  also = "true",
): Promise<{ ended: Promise<void> }> {
  const begun = Promise.withResolvers<void>();
  const blocked = `select from pg_stat_activity a where a.datname = current_database() and a.wait_event_type = 'Lock'
    and a.application_name = 'pgroundwork import' and ${also}`;
  const isBlocked = (watcher: Client) => async () => ((await watcher.query(blocked)).rowCount === 0 ? undefined : true);
  const work = async (watcher: Client) =>
    withClient(target.connection, async (other) => {
      await other.query(`begin; ${sql}`);
      begun.resolve();
      const timedOut = () => new Error("no session of the import waits");
      await poll(isBlocked(watcher), { intervalMs: 20, timeoutMs: 20_000, timedOut });
      await other.query(end);
    });
  const ended = withClient(cases.server.connection(target.connection.database), work);
  ended.catch(begun.reject);
  await begun.promise;
  return { ended };
}

describe("two sessions of an import", () => {
  it("do not wait for each other for ever if their rows clash in a way that the validation does not see", async () => {
    const target = await cases.begin(
      "create table item (id text primary key, v text, l text generated always as (lower(v)) stored unique)",
    );
    const file = await write(target, { a: "1", b: "dup", c: "DUP", d: "4" });
    // The first session waits for someone else before it inserts b. Meanwhile, the second one inserts c.
    const idle = `exists (select from pg_stat_activity b where b.datname = a.datname and b.state = 'idle in transaction'
      and b.application_name = a.application_name)`;
    const { ended } = await otherUntilBlocked(target, "insert into item values ('a', 'other')", "rollback", idle);
    const error = await failureOf(target.run("json", file, map, { batchRows: 2 }));
    await ended;
    expect(error.message).toMatch(/^public\.item refuses a row: duplicate key .*item_l_key/);
    expect(await target.rows("select id from item order by 1")).toEqual([{ id: "a" }, { id: "b" }]);
  });
});
