--! Previous: sha1:8a6fb02ed265d1ef6ba442cd8bca61e217eaabe8
--! Hash: sha1:811fe2383558a938089be945f1957b7aec43a22e
--! Message: answers

create table attempt_answers (
  attempt_id uuid not null references assessment_attempts (id) on delete cascade,
  question_id uuid not null,
  assessment_id uuid not null,
  text_answer text check (length(text_answer) <= 20000),
  numeric_answer numeric(24,8),
  is_correct boolean,
  points_awarded numeric(8,2) check (points_awarded >= 0),
  max_points numeric(8,2) not null check (max_points >= 0),
  hints_used smallint not null default 0 check (hints_used >= 0),
  time_spent_ms integer not null default 0 check (time_spent_ms >= 0),
  feedback text,
  answered_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (attempt_id, question_id),
  foreign key (assessment_id, question_id) references assessment_questions (assessment_id, question_id),
  constraint attempt_answers_one_form check (num_nonnulls(text_answer, numeric_answer) <= 1),
  constraint attempt_answers_graded_has_points check ((is_correct is null) = (points_awarded is null)),
  constraint attempt_answers_points_within_maximum check (points_awarded <= max_points)
);
comment on table attempt_answers is 'The answers of an attempt, one a question. Chosen options stand in attempt_answer_options.';
comment on column attempt_answers.assessment_id is 'The attempt''s, set by trigger, so that the foreign key lets only its own questions be answered.';
comment on column attempt_answers.is_correct is 'Null until graded, and for ever in a survey.';
comment on column attempt_answers.max_points is 'Points of the question in this assessment, set by trigger.';

create table attempt_answer_options (
  attempt_id uuid not null,
  question_id uuid not null,
  option_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (attempt_id, question_id, option_id),
  foreign key (attempt_id, question_id) references attempt_answers (attempt_id, question_id) on delete cascade,
  foreign key (option_id, question_id) references question_options (id, question_id)
);
comment on table attempt_answer_options is 'Options that were chosen in an answer: one of a single choice, any number of a multiple choice.';

-- Answers to one question of one assessment, without the table; which options mislead.
create index attempt_answers_question_idx on attempt_answers (assessment_id, question_id) include (is_correct, time_spent_ms);
create index attempt_answers_answered_idx on attempt_answers (answered_at);
create index attempt_answer_options_option_idx on attempt_answer_options (option_id, question_id);

create trigger set_updated_at before update on attempt_answers for each row execute function set_updated_at();

create function prepare_answer() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  -- Locked, so that nothing is answered while the attempt is being handed in.
  select assessment_id into new.assessment_id from assessment_attempts where id = new.attempt_id for share;
  select points into new.max_points from assessment_questions
  where assessment_id = new.assessment_id and question_id = new.question_id;
  -- What the foreign keys are about to refuse must not fail for want of a value first.
  new.assessment_id := coalesce(new.assessment_id, new.attempt_id);
  new.max_points := coalesce(new.max_points, 0);
  return new;
end
$$;
comment on function prepare_answer() is 'Trigger: gives an answer its assessment and the points that can be had.';

create trigger prepare_answer before insert on attempt_answers
  for each row execute function prepare_answer();
create trigger keep_columns before update of attempt_id, question_id, assessment_id, max_points on attempt_answers
  for each row execute function keep_columns('attempt_id', 'question_id', 'assessment_id', 'max_points');
-- Another choice is another row, with its own time.
create trigger keep_columns before update on attempt_answer_options
  for each row execute function keep_columns('attempt_id', 'question_id', 'option_id', 'created_at');

create function stamp_answer() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if not in_maintenance(tg_relid) then
    new.answered_at := now();
  end if;
  return new;
end
$$;
comment on function stamp_answer() is 'Trigger: an answer that is changed is given now, unless its time is told.';

create trigger stamp_answer before update of text_answer, numeric_answer on attempt_answers for each row
  when (new.answered_at = old.answered_at and (new.text_answer, new.numeric_answer) is distinct from (old.text_answer, old.numeric_answer))
  execute function stamp_answer();

create function guard_answer_change() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  attempt assessment_attempts%rowtype;
  -- A chosen option bears the time at which it was chosen as created_at.
  given_at timestamptz := coalesce(to_jsonb(new) ->> 'answered_at', to_jsonb(new) ->> 'created_at', now()::text);
  answered_again boolean := true;
begin
  select * into attempt from assessment_attempts where id = coalesce(new.attempt_id, old.attempt_id) for share;
  -- No attempt: its answers are going with it.
  if not found or in_maintenance(tg_relid) then
    return null;
  end if;
  if attempt.status = 'in_progress' then
    if given_at > attempt.expires_at then
      raise exception 'attempt %: its time was up at %, an answer of % is too late', attempt.id, attempt.expires_at, given_at
        using errcode = 'check_violation', constraint = 'attempt_answers_in_time', table = tg_table_name,
              hint = 'Set the attempt to submitted.';
    end if;
    return null;
  end if;
  if tg_op = 'UPDATE' and tg_table_name = 'attempt_answers' then
    answered_again := (to_jsonb(new) - array['is_correct', 'points_awarded', 'feedback', 'updated_at'])
      <> (to_jsonb(old) - array['is_correct', 'points_awarded', 'feedback', 'updated_at']);
  end if;
  if answered_again then
    raise exception 'attempt % is % and takes no answers', attempt.id, attempt.status
      using errcode = 'check_violation', constraint = 'attempt_answers_attempt_open', table = tg_table_name;
  end if;
  if attempt.status <> 'submitted' then
    raise exception 'attempt % is % and its grades stay', attempt.id, attempt.status
      using errcode = 'check_violation', constraint = 'attempt_answers_grades_stay', table = tg_table_name,
            hint = 'Put the attempt back to submitted, grade, and set it to graded again.';
  end if;
  return null;
end
$$;
comment on function guard_answer_change() is 'Trigger: answers are given in an attempt in progress and in its time, and graded until the attempt is.';

create trigger guard_answer_change after insert or update or delete on attempt_answers
  for each row execute function guard_answer_change();
create trigger guard_answer_change after insert or update or delete on attempt_answer_options
  for each row execute function guard_answer_change();

create function check_answer_form() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  question_kind text;
begin
  select kind into question_kind from questions where id = new.question_id;
  if (new.text_answer is not null and question_kind not in ('short_text', 'essay'))
     or (new.numeric_answer is not null and question_kind <> 'numeric') then
    raise exception 'question % is % and takes no % answer', new.question_id, question_kind,
      case when new.text_answer is not null then 'text' else 'numeric' end
      using errcode = 'check_violation', constraint = 'attempt_answers_form_fits_kind', table = 'attempt_answers';
  end if;
  return null;
end
$$;
comment on function check_answer_form() is 'Trigger: words answer questions that ask for words, numbers those that ask for a number.';

create trigger check_answer_form after insert or update of text_answer, numeric_answer on attempt_answers
  for each row when (new.text_answer is not null or new.numeric_answer is not null) execute function check_answer_form();

create function check_single_choice() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if exists (select from questions where id = new.question_id and kind in ('single_choice', 'true_false')) then
    -- Two choices at once wait for each other, and the second sees the first.
    perform from attempt_answers where attempt_id = new.attempt_id and question_id = new.question_id for no key update;
    if exists (
      select from attempt_answer_options
      where attempt_id = new.attempt_id and question_id = new.question_id and option_id <> new.option_id
    ) then
      raise exception 'question % takes one option', new.question_id
        using errcode = 'check_violation', constraint = 'attempt_answer_options_single_choice', table = 'attempt_answer_options',
              hint = 'Delete the option chosen before.';
    end if;
  end if;
  return null;
end
$$;
comment on function check_single_choice() is 'Trigger: a single choice is one.';

create trigger check_single_choice after insert or update on attempt_answer_options
  for each row execute function check_single_choice();
