import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateLearningStore, invalidRows } from "../../../../migrations/learning/import/generate.ts";
import map from "../../../../migrations/learning/import/sqlite.ts";
import { rollbackImport } from "../../../../scripts/import/run/rollback.ts";
import { type ImportResult, runImport } from "../../../../scripts/import/run/run-import.ts";
import { openSource } from "../../../../scripts/import/source/open-source.ts";
import type { ImportMap } from "../../../../scripts/index.ts";
import { type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";

const learners = 120;
let database: MigratedDatabase;
let folder: string;
let store: string;
let first: ImportResult["report"];

beforeAll(async () => {
  database = await startMigratedDatabase("learning");
  folder = await mkdtemp(join(tmpdir(), "pgw-learning-import-"));
  store = join(folder, "store.db");
  generateLearningStore(store, { learners, invalid: true });
  first = (await importStore({ ...map, rejects: "skip" })).report;
});
afterAll(async () => {
  await database?.stop();
  await rm(folder, { recursive: true, force: true });
});

const connection = () => database.server.as("migrator", "learning");

async function importStore(chosen: ImportMap): Promise<ImportResult> {
  const source = await openSource("sqlite", store);
  try {
    return await runImport({
      connection: connection(),
      database: "learning",
      source,
      map: chosen,
      reportFolder: folder,
    });
  } finally {
    await source.close();
  }
}

/** Rows of both sides as text, each read by its own database alone. */
const sameRows: { what: string; sqlite: string; postgres: string }[] = [
  {
    what: "users and their profiles",
    sqlite: `select u.id || '', lower(trim(u.email)), u.full_name, u.created || '.000000', (u.last_seen / 1000) || '.' || printf('%03d', u.last_seen % 1000) || '000',
        p.daily_minutes || '', json_array_length(p.interests) || '', printf('%.2f', p.prefs ->> '$.font')
      from users u join profiles p on p.user_id = u.id where u.id <= ${learners} order by u.id`,
    postgres: `select u.legacy_id, email, display_name, extract(epoch from u.created_at)::text, extract(epoch from last_login_at)::text, daily_goal_minutes::text,
        cardinality(interests)::text, preferences ->> 'font'
      from users u join learning_profiles p on p.user_id = u.id order by u.legacy_id::int`,
  },
  {
    what: "answers with their chosen option and points",
    sqlite: `select w.attempt_id || '', w.question_id || '', c.text, printf('%.2f', w.points_cents / 100.0), printf('%.2f', i.points_cents / 100.0), w.ms || ''
      from answers w join attempts a on a.id = w.attempt_id join assessment_items i on i.assessment_id = a.assessment_id and i.question_id = w.question_id
      left join answer_choices o on o.attempt_id = w.attempt_id and o.question_id = w.question_id left join choices c on c.id = o.choice_id
      where a.state = 'graded' order by w.attempt_id, w.question_id`,
    postgres: `select a.legacy_id, q.legacy_id, c.content, w.points_awarded::text, w.max_points::text, w.time_spent_ms::text
      from attempt_answers w join assessment_attempts a on a.id = w.attempt_id join questions q on q.id = w.question_id
      left join attempt_answer_options o on o.attempt_id = w.attempt_id and o.question_id = w.question_id left join question_options c on c.id = o.option_id
      where a.status = 'graded' order by a.legacy_id::int, q.legacy_id::int`,
  },
  {
    what: "messages",
    sqlite: `select c.user_id || '', m.pos || '', m.text, m.model, m.tokens_out || '', m.at || '' from chat_messages m join chats c on c.id = m.chat_id
      where c.user_id <= ${learners} order by c.user_id, m.pos`,
    postgres: `select u.legacy_id, m.position::text, m.content, m.model, m.output_tokens::text, (extract(epoch from m.created_at) * 1000)::bigint::text
      from messages m join conversations c on c.id = m.conversation_id join users u on u.id = c.user_id order by u.legacy_id::int, m.position`,
  },
];

describe("the map of the learning store", () => {
  it("imports everything but the invalid rows, and proves it", () => {
    expect(first.verify).toMatchObject({ verified: true, failures: [], notCompared: [] });
    const counts = Object.fromEntries(
      first.tables.map(({ target, inserted, rejected }) => [target.slice(7), [inserted, rejected]]),
    );
    expect(counts).toMatchObject({
      users: [learners, 3],
      learning_profiles: [learners, 1],
      assessment_attempts: [learners, 0],
      attempt_answers: [learners * 4, 0],
      messages: [learners * 4, 1],
      conversations: [learners, 1],
      learning_goals: [learners, 2],
      notifications: [learners, 2],
    });
    const rejected = first.tables.reduce((sum, table) => sum + table.rejected, 0);
    expect(rejected).toBe(invalidRows.length);
    expect(first.unread).toEqual([`logins: ${learners} rows`]);
  });

  it("names each invalid row with its reason", () => {
    expect(first.rejects.map(({ source, problems }) => `${source}: ${problems[0]?.reason}`)).toEqual([
      expect.stringContaining("users: check users_email_check"),
      "users: another row of the source has the same key (users_email_key)",
      "users: text that is not UTF-8 (masked)",
      expect.stringMatching(/^profiles: user_id references public.users .*, which does not exist$/),
      'goals: text "many" is not of type numeric(8,2)',
      'goals: "2024-02-30" is not a time of the calendar',
      'notices: text "fax" is none of: app, mail, push',
      'notices: it is not valid JSON: the name "a" occurs twice in one object (byte 12, line 1)',
      expect.stringMatching(/^chats: user_id references public.users .*, which was rejected: check users_email_check/),
      expect.stringMatching(
        /^chat_messages: conversation_id references public.conversations .*, which was rejected: user_id references/,
      ),
    ]);
  });

  it.each(sameRows)("gives the same $what as the store, read without the import", async ({ sqlite, postgres }) => {
    const reader = new DatabaseSync(store, { readOnly: true });
    reader.exec("pragma query_only = on");
    const statement = reader.prepare(sqlite);
    statement.setReturnArrays(true);
    const expected = statement.all() as unknown as unknown[][];
    reader.close();
    const { rows } = await database.migrator.query({ text: postgres, rowMode: "array" });
    expect(expected.length).toBeGreaterThan(100);
    expect(rows).toEqual(expected);
  });

  it("leaves a database in which every rule of the application holds", async () => {
    expect((await database.migrator.query("select * from integrity_findings()")).rows).toEqual([]);
    const { rows } = await database.migrator.query(
      "select count(*)::int as n, min(new_data ->> 'rejected') as rejected from audit_log where table_name = 'import'",
    );
    expect(rows).toEqual([{ n: 1, rejected: String(invalidRows.length) }]);
  });

  it("changes nothing the second time, and a rollback removes everything", async () => {
    const again = await importStore({ ...map, rejects: "skip" });
    expect(again.report.outcome).toBe("verified");
    expect(again.report.tables.reduce((sum, { inserted, updated }) => sum + inserted + updated, 0)).toBe(0);
    const { conflicts, tables } = await rollbackImport({ connection: connection(), run: first.run });
    expect(conflicts).toEqual([]);
    expect(tables.reduce((sum, { deleted }) => sum + deleted, 0)).toBe(
      first.tables.reduce((sum, { inserted }) => sum + inserted, 0),
    );
    const { rows } = await database.migrator.query(
      "select (select count(*)::int from users) as users, (select count(*)::int from messages) as messages, (select count(*)::int from topics) as topics",
    );
    expect(rows).toEqual([{ users: 0, messages: 0, topics: 0 }]);
  });
});
