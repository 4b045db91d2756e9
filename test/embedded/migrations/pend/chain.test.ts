import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { at, sha256 } from "../table-cases.ts";

const hash = `0x${sha256(1)}`;
const address = `0x${"1".repeat(40)}`;
let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("pend", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("a contract event", () => {
  const read = (block: string) =>
    database.app.query<{ id: string }>(
      `insert into blockchain_events (chain_id, block_number, block_hash, transaction_hash, log_index, contract_address, event_type, amount, occurred_at)
       values (137, 7, $1, $2, 0, $3, 'Transfer', 115792089237316195423570985008687907853269984665640564039457584007913129639935, $4)
       returning id`,
      [block, hash, address, at(0)],
    );

  it("counts once, and again if its block was orphaned", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await read(hash);
      await app.query("savepoint twice");
      expect(await refusal(read(`0x${sha256(2)}`))).toMatchObject({
        code: "23505",
        constraint: "blockchain_events_log_key",
      });
      await app.query("rollback to twice");
      await app.query("update blockchain_events set status = 'orphaned' where id = $1", [rows[0]?.id]);
      expect((await read(`0x${sha256(2)}`)).rowCount).toBe(1);
    });
  });

  it("can be processed, but keeps its facts, even the largest amount exactly", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await read(hash);
      const id = rows[0]?.id;
      const { rows: acted } = await app.query(
        "update blockchain_events set status = 'processed', attempts = 1, processed_at = now() where id = $1 returning amount",
        [id],
      );
      expect(acted).toEqual([
        { amount: "115792089237316195423570985008687907853269984665640564039457584007913129639935" },
      ]);
      const error = await refusal(app.query("update blockchain_events set amount = 1 where id = $1", [id]));
      expect(error.message).toBe(`facts of blockchain_events ${id} do not change`);
    });
    expect((await refusal(app.query("delete from blockchain_events"))).message).toBe(
      "permission denied for table blockchain_events",
    );
  });
});

describe("a contract call", () => {
  const statuses = ["prepared", "submitted", "confirmed", "reverted", "dropped"] as const;
  type Status = (typeof statuses)[number];
  const allowed: Record<Status, Status[]> = {
    prepared: ["submitted", "dropped"],
    submitted: ["confirmed", "reverted", "dropped"],
    // The block can be removed again.
    confirmed: ["submitted"],
    reverted: ["submitted"],
    dropped: [],
  };
  const pairs = statuses.flatMap((from) => statuses.filter((to) => to !== from).map((to) => ({ from, to })));

  it.each(pairs)("goes from $from to $to only if its life cycle allows it", async ({ from, to }) => {
    const { migrator } = database;
    const fitting = `status = $1, transaction_hash = '${hash}', nonce = 1, submitted_at = now(), block_number = 1, gas_used = 2,
      gas_price_wei = 3, error_message = 'Test', confirmed_at = case when $1 in ('confirmed', 'reverted') then now() end`;
    const attempt = inTransaction(migrator, "rollback", async () => {
      await migrator.query("set local app.maintenance = 'on'");
      const { rows } = await migrator.query(
        "insert into contract_interactions (chain_id, contract_address, function_name, sender_address) values (137, $1, 'invest', $1) returning id",
        [address],
      );
      await migrator.query(`update contract_interactions set ${fitting} where id = $2`, [from, rows[0].id]);
      await migrator.query("set local app.maintenance = ''");
      await migrator.query(`update contract_interactions set ${fitting} where id = $2`, [to, rows[0].id]);
    });
    if (allowed[from].includes(to)) await attempt;
    else
      expect(await refusal(attempt)).toMatchObject({
        code: "23514",
        constraint: "contract_interactions_status_transition",
      });
  });

  it("costs exactly the gas that it used, and keeps its request", async () => {
    const { app } = database;
    const { rows } = await app.query(
      "select id, fee_wei from contract_interactions where status = 'confirmed' order by id limit 1",
    );
    expect(rows[0].fee_wei).toBe("3600000000000000");
    const error = await refusal(
      app.query("update contract_interactions set function_name = 'drain' where id = $1", [rows[0].id]),
    );
    expect(error.message).toBe(`facts of contract_interactions ${rows[0].id} do not change`);
  });
});
