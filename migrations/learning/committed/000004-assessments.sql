--! Previous: sha1:740ac63c1e91cbf0b544ebef11fed09a70c1d562
--! Hash: sha1:5f8f518e931f933c7efddf44ca345309dc214db0
--! Message: assessments

create table assessments (
  id uuid primary key default gen_random_uuid(),
  legacy_id text check (legacy_id <> ''),
  course_id uuid references courses (id),
  topic_id uuid references topics (id),
  author_id uuid references users (id) on delete set null,
  kind text not null check (kind in ('diagnostic', 'practice', 'quiz', 'exam', 'learning_style')),
  title text not null check (title <> ''),
  description text not null default '',
  status text not null default 'draft' check (status in ('draft', 'published', 'archived')),
  published_at timestamptz,
  pass_percentage numeric(5,2) check (pass_percentage between 0 and 100),
  time_limit_minutes smallint check (time_limit_minutes between 1 and 600),
  max_attempts smallint check (max_attempts > 0),
  shuffles_questions boolean not null default true,
  shows_answers text not null default 'after_grading' check (shows_answers in ('never', 'at_once', 'after_grading')),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint assessments_published_has_time check (status = 'draft' or published_at is not null),
  constraint assessments_style_has_no_pass check ((kind = 'learning_style') = (pass_percentage is null)),
  constraint assessments_exam_hides_answers check (kind <> 'exam' or shows_answers <> 'at_once')
);
comment on table assessments is 'Tests of knowledge and of learning style. Once somebody has begun one, its questions stay as they are.';
comment on column assessments.course_id is 'The course it belongs to; null for placement tests, free practice and learning style.';
comment on column assessments.time_limit_minutes is 'Null for no limit.';
comment on column assessments.max_attempts is 'Attempts that one learner has; null for any number.';

create table questions (
  id uuid primary key default gen_random_uuid(),
  legacy_id text check (legacy_id <> ''),
  topic_id uuid references topics (id),
  author_id uuid references users (id) on delete set null,
  kind text not null check (kind in ('single_choice', 'multiple_choice', 'true_false', 'numeric', 'short_text', 'essay', 'survey')),
  prompt text not null check (prompt <> '' and length(prompt) <= 10000),
  hint text not null default '',
  explanation text not null default '',
  difficulty numeric(5,4) not null default 0.5 check (difficulty between 0 and 1),
  language text not null default 'en' check (language ~ '^[a-z]{2}$'),
  numeric_answer numeric(24,8),
  numeric_tolerance numeric(24,8) check (numeric_tolerance >= 0),
  accepted_answers text[] check (cardinality(accepted_answers) > 0),
  status text not null default 'draft' check (status in ('draft', 'published', 'retired')),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint questions_topic_unless_survey check (kind = 'survey' or topic_id is not null),
  constraint questions_numeric_has_answer check ((kind = 'numeric') = (numeric_answer is not null)),
  constraint questions_tolerance_of_numeric check (numeric_tolerance is null or numeric_answer is not null),
  constraint questions_short_text_has_answers check ((kind = 'short_text') = (accepted_answers is not null))
);
comment on table questions is 'The question bank. Assessments choose from it; one question may stand in several.';
comment on column questions.difficulty is 'As its author estimates: 0 everybody knows, 1 nobody does. As measured: question_statistics.';
comment on column questions.accepted_answers is 'Of a short text: compared without regard to case and outer blanks.';

create table question_options (
  id uuid primary key default gen_random_uuid(),
  question_id uuid not null references questions (id) on delete cascade,
  position smallint not null check (position between 1 and 26),
  content text not null check (content <> ''),
  is_correct boolean not null default false,
  trait text check (trait in ('visual', 'auditory', 'reading', 'kinesthetic')),
  feedback text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (question_id, position),
  unique (id, question_id),
  constraint question_options_right_or_trait check (not is_correct or trait is null)
);
comment on table question_options is 'What can be chosen as an answer.';
comment on column question_options.trait is 'Of a survey question: the learning style that this choice speaks for.';
comment on column question_options.feedback is 'Shown to a learner who chose it: why it is right, or which mistake leads there.';

create table assessment_questions (
  assessment_id uuid not null references assessments (id) on delete cascade,
  question_id uuid not null references questions (id),
  position integer not null check (position > 0),
  points numeric(8,2) not null default 1 check (points >= 0),
  created_at timestamptz not null default now(),
  primary key (assessment_id, question_id),
  unique (assessment_id, position)
);
comment on table assessment_questions is 'Which questions an assessment asks, in which order, for how many points. A survey question gives none.';

create unique index assessments_legacy_id_key on assessments (legacy_id) where legacy_id is not null;
create unique index questions_legacy_id_key on questions (legacy_id) where legacy_id is not null;

create index assessments_course_idx on assessments (course_id, status);
create index assessments_topic_idx on assessments (topic_id);
create index assessments_author_idx on assessments (author_id);
create index assessments_kind_idx on assessments (kind, published_at desc) where status = 'published';
create index questions_topic_idx on questions (topic_id, kind, difficulty) where topic_id is not null;
create index questions_author_idx on questions (author_id);
create index questions_prompt_trgm_idx on questions using gin (prompt gin_trgm_ops);
create index assessment_questions_question_idx on assessment_questions (question_id);

create trigger set_updated_at before update on assessments for each row execute function set_updated_at();
create trigger set_updated_at before update on questions for each row execute function set_updated_at();
create trigger set_updated_at before update on question_options for each row execute function set_updated_at();

-- What is published can be answered.

create function check_question_options() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  -- One function for both tables; its argument names the column that holds the question.
  question_id uuid := to_jsonb(coalesce(new, old)) ->> tg_argv[0];
  question questions%rowtype;
  options bigint;
  correct bigint;
  traits bigint;
begin
  select * into question from questions where id = question_id;
  if not found or question.status <> 'published' then
    return null;
  end if;
  select count(*), count(*) filter (where is_correct), count(trait) into options, correct, traits
  from question_options where question_options.question_id = question.id;
  if not (case question.kind
    when 'single_choice' then options >= 2 and correct = 1 and traits = 0
    when 'multiple_choice' then options >= 2 and correct >= 1 and traits = 0
    when 'true_false' then options = 2 and correct = 1 and traits = 0
    when 'survey' then options >= 2 and correct = 0
    else options = 0 end)
  then
    raise exception 'published question %: % options (% right, % with a trait) do not make a % question',
      question.id, options, correct, traits, question.kind
      using errcode = 'check_violation', constraint = 'questions_options_fit_kind', table = 'questions',
            hint = 'Keep it a draft until its options are complete, in the same transaction at the latest.';
  end if;
  return null;
end
$$;
comment on function check_question_options() is 'Constraint trigger at commit: a published question can be answered, and has as many right options as its kind.';

create constraint trigger check_options_of_question after insert or update of status, kind on questions deferrable initially deferred
  for each row execute function check_question_options('id');
create constraint trigger check_options after insert or update or delete on question_options deferrable initially deferred
  for each row execute function check_question_options('question_id');

create function check_assessment_questions() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  unfit record;
begin
  if not exists (select from assessments where id = new.id and status = 'published') then
    return null;
  end if;
  select count(*) as asked,
    count(*) filter (where questions.status = 'draft') as drafts,
    count(*) filter (where (questions.kind = 'survey') <> (new.kind = 'learning_style')) as of_wrong_kind
  into unfit
  from assessment_questions
  join questions on questions.id = assessment_questions.question_id
  where assessment_questions.assessment_id = new.id;
  if unfit.asked = 0 or unfit.drafts > 0 or unfit.of_wrong_kind > 0 then
    raise exception 'assessment % cannot be published: % questions, of them % drafts and % of another kind',
      new.id, unfit.asked, unfit.drafts, unfit.of_wrong_kind
      using errcode = 'check_violation', constraint = 'assessments_published_is_whole', table = 'assessments',
            hint = 'A learning style assessment asks survey questions, every other one anything else.';
  end if;
  return null;
end
$$;
comment on function check_assessment_questions() is 'Constraint trigger at commit: a published assessment asks something, and nothing unfinished.';

create constraint trigger check_questions after insert or update of status, kind on assessments deferrable initially deferred
  for each row execute function check_assessment_questions();
