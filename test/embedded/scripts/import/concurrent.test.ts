import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { poll } from "../../../../scripts/core/poll.ts";
import type { ImportMap } from "../../../../scripts/import/map.ts";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
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
    // The index depends on a setting, which only the load has.
    const target = await cases.begin(
      `create table item (id text primary key, v text);
       create function folded(text) returns text language sql immutable
         as $$ select case when current_setting('app.fold', true) = 'on' then lower($1) else $1 end $$;
       create unique index item_l_key on item (folded(v))`,
    );
    const file = await write(target, { a: "1", b: "dup", c: "DUP", d: "4" });
    // The first session waits for someone else before it inserts b. Meanwhile, the second one inserts c.
    const idle = `exists (select from pg_stat_activity b where b.datname = a.datname and b.state = 'idle in transaction'
      and b.application_name = a.application_name)`;
    const { ended } = await otherUntilBlocked(target, "insert into item values ('a', 'other')", "rollback", idle);
    const error = await failureOf(
      target.run("json", file, { ...map, session: { "app.fold": "on" } }, { batchRows: 2 }),
    );
    await ended;
    expect(error.message).toMatch(/^public\.item refuses a row: duplicate key .*item_l_key/);
    expect(await target.rows("select id from item order by 1")).toEqual([{ id: "a" }, { id: "b" }]);
  });
});

/** Runs an import that ends with an error after a batch, or when a phase begins. */
const interrupt = (target: ImportCase, file: string, at: number | string, batchRows: number, changes = {}) =>
  failureOf(
    target.run(
      "json",
      file,
      { ...map, ...changes },
      {
        batchRows,
        afterBatch: async (batch) => {
          if (batch === at) throw new Error("interrupted");
        },
        onEvent: (event) => {
          if (event.kind === "phase" && event.name === at) throw new Error("interrupted");
        },
      },
    ),
  );
const items = "create table item (id text primary key, v text, note text)";

describe("rows that someone changes before their import has ended", () => {
  it("are conflicts of its rollback, whether it was interrupted or continued", async () => {
    const target = await cases.begin(`${items}; insert into item values ('a', 'before')`);
    const file = await write(target, { a: "1", b: "2", c: "3", d: "4", e: "5" });
    const updating = { existing: "update" };
    await interrupt(target, file, 1, 4, updating);
    await target.rows(`update item set v = 'edited' where id = 'a'; update item set note = 'edited' where id = 'b';
      delete from item where id = 'c'; insert into item values ('c', '3', 'mine')`);
    const edited = () => target.rows("select string_agg(concat_ws(' ', id, v, note), ', ' order by id) as s from item");
    const before = await edited();
    expect(before).toEqual([{ s: "a edited, b 2 edited, c 3 mine, d 4" }]);
    const conflicts = ["a", "b", "c"].map((key) => ({
      table: "public.item",
      key,
      reason: "was changed after the import",
    }));
    const roll = () => rollbackImport({ connection: target.connection });
    expect((await roll()).conflicts).toEqual(conflicts);
    expect(await edited()).toEqual(before);
    const { report } = await target.run("json", file, { ...map, existing: "update" }, { batchRows: 4 });
    expect(report.verify?.failures).toEqual(["public.item.v: the checksums differ"]);
    expect((await roll()).conflicts).toEqual(conflicts);
  });

  it("are told from rows that the triggers of later batches changed, also where they catch errors", async () => {
    const target = await cases.begin(
      `${items}; create function note() returns trigger language plpgsql as $$ begin
         begin update item set note = concat(note, new.id) where id < new.id; exception when others then null; end;
         return null; end $$;
       create trigger note after insert on item for each row execute function note()`,
    );
    const file = await write(target, { a: "1", b: "2", c: "3" });
    const { report } = await target.run("json", file, map, { batchRows: 1 });
    expect(report.outcome).toBe("verified");
    expect(await target.rows("select note from item order by id")).toEqual([
      { note: "bc" },
      { note: "c" },
      { note: null },
    ]);
    const { conflicts, tables } = await rollbackImport({ connection: target.connection });
    expect([conflicts, tables]).toMatchObject([[], [{ deleted: 3 }]]);
  });
});

describe("rows that someone changes before an import updates them", () => {
  const merging: ImportMap = { ...map, existing: "merge" };
  const values = "select string_agg(concat_ws(' ', id, v), ', ' order by id) as s from item";

  it("are conflicts of a merge that was interrupted before its load", async () => {
    const target = await cases.begin(items);
    await target.run("json", await write(target, { a: "1", b: "2", c: "3" }), merging);
    const file = await write(target, { a: "10", b: "20", c: "30" });
    await interrupt(target, file, "load", 10, merging);
    await target.rows("update item set v = 'edited' where id = 'a'; delete from item where id = 'b'");
    const { report } = await target.run("json", file, merging);
    expect(report).toMatchObject({ outcome: "verified", tables: [{ updated: 1, rejected: 2 }] });
    expect(report.rejects.map(({ key, place, problems }) => [key, place !== null, problems[0]?.reason])).toEqual([
      ["a", true, "conflict: the target changed it during this import"],
      ["b", true, "conflict: the target deleted it during this import"],
    ]);
    expect(await target.rows(values)).toEqual([{ s: "a edited, c 30" }]);
  });

  it("are conflicts of a merge that waits for the transaction which changes them", async () => {
    const target = await cases.begin(items);
    await target.run("json", await write(target, { a: "1", b: "2" }), merging);
    const file = await write(target, { a: "10", b: "20" });
    const { ended } = await otherUntilBlocked(target, "update item set v = 'edited' where id = 'a'", "commit");
    const { report } = await target.run("json", file, merging);
    await ended;
    expect(report).toMatchObject({ outcome: "verified", tables: [{ updated: 1, rejected: 1 }] });
    expect(await target.rows(values)).toEqual([{ s: "a edited, b 20" }]);
  });

  it.each([[false], [true]])("stay their own if the import found them equal before (readAll: %s)", async (readAll) => {
    const target = await cases.begin(items);
    await target.run("json", await write(target, { a: "1", b: "2" }), merging);
    const file = await write(target, { a: "1", b: "20" });
    const onEvent = (event: { kind: string; name?: string }) => {
      if (event.kind === "phase" && event.name === "load") throw new Error("interrupted");
    };
    await failureOf(target.run("json", file, merging, { readAll, onEvent }));
    await target.rows("update item set v = 'edited' where id = 'a'");
    await target.run("json", file, merging, { readAll });
    const { report } = await target.run("json", await write(target, { a: "100", b: "20" }), merging);
    expect(report).toMatchObject({ outcome: "stopped", tables: [{ updated: 0, rejected: 1 }] });
    expect(await target.rows(values)).toEqual([{ s: "a edited, b 20" }]);
  });

  it("are restored by a rollback as they were when an import replaced them", async () => {
    const target = await cases.begin(`${items}; insert into item values ('a', '1')`);
    const file = await write(target, { a: "10" });
    const { ended } = await otherUntilBlocked(target, "update item set v = 'edited' where id = 'a'", "commit");
    const { report } = await target.run("json", file, { ...map, existing: "update" });
    await ended;
    expect([report.outcome, await target.rows(values)]).toEqual(["verified", [{ s: "a 10" }]]);
    await rollbackImport({ connection: target.connection });
    expect(await target.rows(values)).toEqual([{ s: "a edited" }]);
  });
});

describe("a rollback", () => {
  it("waits for a transaction that references its rows, and does not delete them with what references them", async () => {
    const target = await cases.begin(`${items}; create table part (item text references item on delete cascade)`);
    await target.run("json", await write(target, { a: "1", b: "2" }), map);
    const { ended } = await otherUntilBlocked(target, "insert into part values ('a')", "commit");
    const { conflicts } = await rollbackImport({ connection: target.connection });
    await ended;
    expect(conflicts).toMatchObject([{ key: "a", reason: "is referenced by public.part (part_item_fkey)" }]);
    expect(await target.rows("select item from part")).toEqual([{ item: "a" }]);
  });
});

describe("a trigger that gives rows other keys", () => {
  it.each([[undefined], ["record"]])("lets a rollback remove them (interrupted: %s)", async (at) => {
    const target = await cases.begin(
      `${items}; create function rekey() returns trigger language plpgsql as $$ begin
         new.id := chr(ascii(new.id) + 1); return new; end $$;
       create trigger rekey before insert on item for each row execute function rekey()`,
    );
    const file = await write(target, { a: "1", b: "2", y: "3" });
    if (at === undefined) {
      const { report } = await target.run("json", file, map, { batchRows: 1 });
      expect(report).toMatchObject({ outcome: "not verified", tables: [{ inserted: 3 }] });
    } else await interrupt(target, file, at, 1);
    expect(await target.rows("select id from item order by 1")).toEqual([{ id: "b" }, { id: "c" }, { id: "z" }]);
    const { conflicts, tables } = await rollbackImport({ connection: target.connection });
    expect([conflicts, tables]).toMatchObject([[], [{ deleted: 3, gone: 0 }]]);
    expect(await target.rows("select from item")).toEqual([]);
  });
});
