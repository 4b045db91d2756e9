import { DatabaseSync } from "node:sqlite";

/*
 * Writes a SQLite store as the learning assistant had it, of any size, and with invalid rows on request. It uses
 * another SQLite library than the import does, so that a test compares two readers.
 *
 *   node migrations/learning/import/generate.ts store.db 1000 --invalid
 */

/** Options of {@link generateLearningStore}. */
export interface LearningStore {
  /** Number of learners. Each has about 40 rows; ten learners share a course. */
  learners: number;
  /** Adds the rows of {@link invalidRows}. */
  invalid?: boolean;
}

const schema = `
  create table users (id integer primary key autoincrement, email text not null, full_name text, role text, state text,
    pw_hash text, lang text, tz text, created integer, last_seen integer, deleted text);
  create table profiles (user_id integer primary key references users, level integer, daily_minutes integer, reminder text,
    interests text, prefs text);
  create table topics (id integer primary key, parent integer references topics, slug text unique, title text, pos integer);
  create table courses (id integer primary key, slug text, topic_id integer, author_id integer, title text, summary text,
    level integer, lang text, tags text, minutes integer, state text, published text);
  create table lessons (id integer primary key, course_id integer, topic_id integer, slug text, pos integer, title text,
    type text, body text, media text, minutes integer, required integer, state text);
  create table assessments (id integer primary key, course_id integer, title text, type text, pass_mark real,
    minutes integer, tries integer, state text, published text);
  create table questions (id integer primary key, topic_id integer, type text, prompt text, answer real, difficulty real,
    state text);
  create table choices (id integer primary key, question_id integer, pos integer, text text, correct integer);
  create table assessment_items (assessment_id integer, question_id integer, pos integer, points_cents integer,
    primary key (assessment_id, question_id)) without rowid;
  create table enrollments (id integer primary key, user_id integer, course_id integer, state text, percent real,
    started integer, finished integer, left_at integer);
  create table progress (enrollment_id integer, lesson_id integer, done integer, percent real, seconds integer,
    opened integer, last integer, finished integer, primary key (enrollment_id, lesson_id));
  create table study_sessions (id integer primary key, user_id integer, course_id integer, lesson_id integer, device text,
    started integer, last integer, ended integer, reason text, active_s integer, focus real);
  create table attempts (id integer primary key, user_id integer, assessment_id integer, session_id integer, n integer,
    state text, score_cents integer, max_cents integer, passed integer, started integer, submitted integer, graded integer);
  create table answers (attempt_id integer, question_id integer, number real, correct integer, points_cents integer,
    ms integer, at integer, primary key (attempt_id, question_id));
  create table answer_choices (attempt_id integer, question_id integer, choice_id integer,
    primary key (attempt_id, question_id, choice_id)) without rowid;
  create table mastery (user_id integer, topic_id integer, value real, answered integer, correct integer, last integer,
    next integer, primary key (user_id, topic_id));
  create table goals (id integer primary key, user_id integer, kind text, course_id integer, target real, state text,
    start text, due text);
  create table badges (code text primary key, title text, descr text, cat text, points integer, rule text);
  create table user_badges (user_id integer, code text, at integer, primary key (user_id, code));
  create table notices (id integer primary key, user_id integer, kind text, channel text, title text, data text,
    due integer, sent integer, seen integer);
  create table chats (id integer primary key, user_id integer, course_id integer, title text, state text, created integer);
  create table chat_messages (id integer primary key, chat_id integer, pos integer, who text, text text, model text,
    tokens_in integer, tokens_out integer, ms integer, thumb integer, at integer);
  create view active_users as select * from users where state = 'ok';
  create table logins (token text primary key, user_id integer, expires integer);`;

/** 2024-01-01 UTC in milliseconds. */
const start = 1_704_067_200_000;

/** SQL that fills the store. Each learner's times are a minute apart. */
function rows(learners: number): string {
  const courses = Math.max(2, Math.ceil(learners / 10));
  const numbers = (name: string, count: number) =>
    `create temp table ${name} as with recursive s (n) as (select 1 union all select n + 1 from s where n < ${count}) select n from s;`;
  const hash = `'$2b$12$' || substr(replace(hex(n + 1000000000), ' ', '') || '${"abcdefghijklmnopqrstuvwxyz".repeat(3)}', 1, 53)`;
  return `${numbers("learner", learners)} ${numbers("course", courses)} ${numbers("four", 4)}
    insert into users select n, case when n % 3 = 0 then 'Learner' else 'learner' end || n || '@Example.org ', 'Lerner Nº ' || n || ' 学',
        case when n % 50 = 1 then 'teacher' else 'student' end, case n % 20 when 0 then 'gone' when 7 then 'blocked' when 8 then 'new' else 'ok' end,
        case when n % 20 = 8 then null else ${hash} end, case when n % 2 then 'de-DE' else 'en' end,
        case when n % 4 = 0 then null else 'Europe/Berlin' end, ${start / 1000} + n * 60, case when n % 5 then ${start} + n * 60000 + 5 end,
        case when n % 20 = 0 then '2024-06-01 10:00:00.25' end from learner;
    insert into profiles select n, 1 + n % 3, 15 + n % 30, case when n % 2 then '07:30' end,
        case n % 3 when 0 then '[]' when 1 then '["maths", "a \\"quoted\\" one"]' else '["Ökologie"]' end,
        '{"font": ' || (n % 5) || '.50, "voice": null, "10": [1e2, true]}' from learner;
    insert into topics values (1, null, 'old-science', 'Science', 1), (2, 1, 'old-maths', 'Maths', 2), (3, 1, 'old-physics', 'Physics', 3);
    insert into courses select n, 'course-' || n, 2 + n % 2, 1, 'Course ' || n, 'What it is about' || char(10) || 'in two lines', 1 + n % 3,
        'en', case n % 3 when 0 then null when 1 then 'a,b' else 'single' end, 30 + n, 'live', '2023-12-01T08:00:00+01:00' from course;
    insert into lessons select (c.n - 1) * 4 + f.n, c.n, 2 + c.n % 2, 'lesson-' || f.n, f.n * 10, 'Lesson ' || f.n,
        case f.n when 2 then 'video' when 3 then 'task' else 'text' end, case f.n when 2 then null else 'Body of ' || f.n end,
        case f.n when 2 then 'https://media.example.org/' || c.n || '.mp4' end, 10, 1, 'live' from course c, four f;
    insert into assessments select n, n, 'Quiz ' || n, 'quiz', 62.5, 60, null, 'live', '2023-12-01 07:00:00' from course;
    insert into questions select (c.n - 1) * 4 + f.n, 2 + c.n % 2, case f.n when 1 then 'single' when 2 then 'multi' when 3 then 'bool' else 'number' end,
        'Question ' || f.n || ' of ' || c.n, case f.n when 4 then 0.1 + c.n end, 0.25, 'live' from course c, four f;
    insert into choices select (q.id - 1) * 4 + f.n, q.id, f.n, 'Choice ' || f.n, f.n = 1 from questions q, four f
      where q.type <> 'number' and (q.type <> 'bool' or f.n <= 2);
    insert into assessment_items select c.n, (c.n - 1) * 4 + f.n, f.n, f.n * 50 from course c, four f;
    insert into enrollments select (l.n - 1) * 2 + f.n, l.n, 1 + (l.n + f.n * ${Math.floor(courses / 2)}) % ${courses},
        case when f.n = 2 and l.n % 9 = 0 then 'left' when l.n % 5 = 4 then 'done' else 'active' end,
        case when f.n = 2 and l.n % 9 = 0 then 0 when l.n % 5 = 4 then 100 else (l.n % 5) * 25 end, ${start} + l.n * 60000,
        case when l.n % 5 = 4 and not (f.n = 2 and l.n % 9 = 0) then ${start} + l.n * 60000 + 40000000 end,
        case when f.n = 2 and l.n % 9 = 0 then ${start} + l.n * 60000 + 1000 end from learner l, four f where f.n <= 2;
    insert into progress select e.id, (e.course_id - 1) * 4 + f.n, f.n <= e.user_id % 5, case when f.n <= e.user_id % 5 then 100 else 12.5 end, f.n * 61,
        e.started + f.n * 1000, e.started + f.n * 2000, case when f.n <= e.user_id % 5 then e.started + f.n * 3000 end
      from enrollments e, four f where e.state <> 'left' and f.n <= e.user_id % 5 + 1 and f.n <= 4;
    insert into study_sessions select (n - 1) * 2 + f, n, 1 + n % ${courses}, (n % ${courses}) * 4 + f, case n % 3 when 0 then 'browser' when 1 then 'iphone' else 'android' end,
        ${start} + n * 60000 + f * 10000000, ${start} + n * 60000 + f * 10000000 + 900123, ${start} + n * 60000 + f * 10000000 + 900999, 'finished', 600 + n % 300, 0.875
      from (select l.n as n, f.n as f from learner l, four f where f.n <= 2);
    insert into attempts select n, n, 1 + n % ${courses}, (n - 1) * 2 + 1, 1, case when n % 10 = 3 then 'open' else 'graded' end, null, null, null,
        ${start} + n * 60000 + 10000000, null, null from learner;
    insert into answers select a.id, i.question_id, case when i.pos = 4 then a.assessment_id + 0.1 end,
        case a.state when 'graded' then (a.id + i.pos) % 3 > 0 end, case a.state when 'graded' then ((a.id + i.pos) % 3 > 0) * i.points_cents end,
        1500 + a.id % 100, a.started + i.pos * 1000 from attempts a join assessment_items i on i.assessment_id = a.assessment_id;
    insert into answer_choices select w.attempt_id, w.question_id, (w.question_id - 1) * 4 + 1 + coalesce(1 - w.correct, 1)
      from answers w join questions q on q.id = w.question_id where q.type <> 'number';
    update attempts set score_cents = (select sum(points_cents) from answers where attempt_id = attempts.id), max_cents = 500,
        submitted = started + 60000, graded = started + 61000 where state = 'graded';
    update attempts set passed = score_cents * 100.0 / 500 >= 62.5 where state = 'graded';
    insert into mastery select user_id, topic_id, round((correct + 1.0) / (answered + 2), 4), answered, correct, last,
        last + 86400000 * case when round((correct + 1.0) / (answered + 2), 4) < 0.5 then 1 when round((correct + 1.0) / (answered + 2), 4) < 0.7 then 3
          when round((correct + 1.0) / (answered + 2), 4) < 0.85 then 7 else 21 end
      from (select a.user_id, q.topic_id, count(*) as answered, sum(w.correct) as correct, max(w.at) as last
        from attempts a join answers w on w.attempt_id = a.id join questions q on q.id = w.question_id where a.state = 'graded' group by 1, 2);
    insert into goals select n, n, case when n % 2 then 'minutes' else 'course' end, case when n % 2 then null else 1 + n % ${courses} end,
        case when n % 2 then 120 else 99.5 end, 'active', '2024-01-0' || (1 + n % 9), case when n % 3 then '2024-12-31' end from learner;
    insert into badges values ('old_first_week', 'First week', 'Seven days in a row', 'streak', 10, '{"streak_days": 7}');
    insert into user_badges select n, 'old_first_week', ${start} + n * 60000 + 604800000 from learner where n % 4 = 0;
    insert into notices select n, n, 'reminder', case n % 3 when 0 then 'app' when 1 then 'mail' else 'push' end, 'Time to learn', '{"n": ' || n || '}',
        ${start} + n, case when n % 2 then ${start} + n + 10 end, case when n % 2 and n % 3 = 0 then ${start} + n + 20 end from learner;
    insert into chats select n, n, 1 + n % ${courses}, 'About course ' || (1 + n % ${courses}), case when n % 6 then 'open' else 'closed' end, ${start} + n * 60000 from learner;
    insert into chat_messages select (l.n - 1) * 4 + f.n, l.n, f.n, case f.n % 2 when 1 then 'user' else 'bot' end,
        'It''s message ' || f.n || ' — \\n stays, tab' || char(9) || '🙂', case f.n % 2 when 0 then 'tutor-1' end, case f.n % 2 when 0 then 12 end,
        case f.n % 2 when 0 then 30 + f.n end, case f.n % 2 when 0 then 400 end, case when f.n = 4 and l.n % 2 then 1 when f.n = 4 then -1 end,
        ${start} + l.n * 60000 + f.n * 1500 from learner l, four f;
    insert into logins select 'token ' || n, n, ${start} from learner;`;
}

/** Rows that the import has to reject, by table, with what is wrong and how many rows each takes along. */
export const invalidRows = [
  "insert into users values (900001, 'no address', 'Nemo', 'student', 'new', null, 'en', null, 1704067200, null, null)",
  "insert into users values (900002, 'LEARNER1@example.org', 'Twin', 'student', 'new', null, 'en', null, 1704067200, null, null)",
  "insert into users values (900003, 'x@example.org', cast(x'ff41' as text), 'student', 'new', null, 'en', null, 1704067200, null, null)",
  "insert into chats values (900001, 900001, null, 'of a rejected user', 'open', 1704067200000)",
  "insert into chat_messages values (9000001, 900001, 1, 'user', 'of a rejected chat', null, null, null, null, null, 1704067200000)",
  "insert into profiles values (900009, 1, 20, null, '[]', '{}')",
  "insert into goals values (900001, 1, 'minutes', null, 'many', 'active', '2024-01-01', null)",
  "insert into goals values (900002, 1, 'minutes', null, 10, 'active', '2024-02-30', null)",
  "insert into notices values (900001, 1, 'reminder', 'fax', 'By fax', '{}', 1704067200000, null, null)",
  "insert into notices values (900002, 1, 'reminder', 'app', 'Bad data', '{\"a\": 1, \"a\": 2}', 1704067200000, null, null)",
] as const;

/** Writes a store to a file that does not exist yet. */
export function generateLearningStore(path: string, { learners, invalid = false }: LearningStore): void {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    database.exec(`pragma journal_mode = off; pragma synchronous = off; begin; ${schema} ${rows(learners)}`);
    if (invalid) for (const row of invalidRows) database.exec(row);
    database.exec("commit");
  } finally {
    database.close();
  }
}

if (import.meta.main) {
  const [path = "", learners = "100", flag] = process.argv.slice(2);
  generateLearningStore(path, { learners: Number(learners), invalid: flag === "--invalid" });
}
