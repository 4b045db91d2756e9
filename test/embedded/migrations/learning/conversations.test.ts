import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { md5Uuid } from "../table-cases.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev"]);
});
afterAll(() => database?.stop());

const say = (client: Client, content: string) =>
  client.query("insert into messages (conversation_id, role, content) values ($1, 'learner', $2) returning position", [
    seeded.conversation,
    content,
  ]);

describe("messages", () => {
  it("continue the numbering, and the conversation records the last one", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      expect((await say(app, "One more question.")).rows).toEqual([{ position: 5 }]);
      const { rows } = await app.query(
        "select last_position, last_message_at = now() as now from conversations where id = $1",
        [seeded.conversation],
      );
      expect(rows).toEqual([{ last_position: 5, now: true }]);
    });
  });

  it("keep their content, but accept a rating", async () => {
    const { app } = database;
    const id = md5Uuid("dev message:2");
    const error = await refusal(app.query("update messages set content = 'Never mind.' where id = $1", [id]));
    expect(error.message).toBe(`message ${id}: only its rating changes`);
    await inTransaction(app, "rollback", async () => {
      expect((await app.query("update messages set rating = -1 where id = $1", [id])).rowCount).toBe(1);
    });
  });

  it("cannot be deleted alone, but are deleted with their conversation", async () => {
    const { app } = database;
    expect((await refusal(app.query("delete from messages"))).message).toBe("permission denied for table messages");
    await inTransaction(app, "rollback", async () => {
      await app.query("delete from conversations where id = $1", [seeded.conversation]);
      expect((await app.query("select from messages where conversation_id = $1", [seeded.conversation])).rows).toEqual(
        [],
      );
    });
  });

  it("are refused by an archived conversation", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("update conversations set status = 'archived' where id = $1", [seeded.conversation]);
      expect((await refusal(say(app, "Hello?"))).message).toBe(
        `conversation ${seeded.conversation} is archived and takes no messages`,
      );
    });
  });

  it("are numbered without gaps when two are added at once", async () => {
    const { app } = database;
    const other = await database.connect(database.server.as("app", "learning"));
    await Promise.all(
      [app, other].map(async (client) => {
        for (let n = 0; n < 20; n++) await say(client, "At once.");
      }),
    );
    const { rows } = await app.query(
      "select count(*)::int as number, max(position) as last from messages where conversation_id = $1",
      [seeded.conversation],
    );
    expect(rows).toEqual([{ number: 44, last: 44 }]);
  });
});
