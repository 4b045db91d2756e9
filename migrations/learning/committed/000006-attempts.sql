--! Previous: sha1:dc1a3dd23ad2d7b3fd30996dba415a5a31a062ab
--! Hash: sha1:8a6fb02ed265d1ef6ba442cd8bca61e217eaabe8
--! Message: attempts

create table assessment_attempts (
  id uuid primary key default gen_random_uuid(),
  legacy_id text check (legacy_id <> ''),
  user_id uuid not null references users (id) on delete cascade,
  assessment_id uuid not null references assessments (id),
  session_id uuid references sessions (id) on delete set null,
  attempt_number smallint not null check (attempt_number > 0),
  status text not null default 'in_progress' check (status in ('in_progress', 'submitted', 'graded', 'abandoned')),
  score numeric(8,2) check (score >= 0),
  max_score numeric(8,2) check (max_score >= 0),
  percentage numeric(5,2) generated always as (round(100 * score / nullif(max_score, 0), 2)) stored,
  passed boolean,
  graded_by uuid references users (id) on delete set null,
  started_at timestamptz not null default now(),
  expires_at timestamptz constraint assessment_attempts_expires_after_start check (expires_at > started_at),
  submitted_at timestamptz constraint assessment_attempts_submitted_after_start check (submitted_at >= started_at),
  graded_at timestamptz constraint assessment_attempts_graded_after_submission check (graded_at >= submitted_at),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (user_id, assessment_id, attempt_number),
  constraint assessment_attempts_submitted_has_time check ((status in ('submitted', 'graded')) = (submitted_at is not null)),
  constraint assessment_attempts_submitted_in_time check (submitted_at <= expires_at),
  constraint assessment_attempts_graded_has_time check ((status = 'graded') = (graded_at is not null)),
  constraint assessment_attempts_graded_has_score check ((graded_at is null) = (score is null) and (score is null) = (max_score is null)),
  constraint assessment_attempts_score_within_maximum check (score <= max_score),
  constraint assessment_attempts_passed_when_graded check (passed is null or graded_at is not null)
);
comment on table assessment_attempts is 'A learner''s tries at an assessment: in progress, submitted, graded, or abandoned.';
comment on column assessment_attempts.attempt_number is 'Counts from 1 for each learner and assessment; given by trigger when left null.';
comment on column assessment_attempts.expires_at is 'From the time limit. An attempt that runs out is submitted with this time.';
comment on column assessment_attempts.score is 'Sum of the answers'' points; set by trigger on grading, checked at commit.';
comment on column assessment_attempts.passed is 'Null where there is nothing to pass (learning style).';
comment on column assessment_attempts.graded_by is 'Null when graded automatically.';

create unique index assessment_attempts_legacy_id_key on assessment_attempts (legacy_id) where legacy_id is not null;

-- One attempt of an assessment at a time; a learner's history; an assessment's results; what runs out and what waits for a grade.
create unique index assessment_attempts_one_open_key on assessment_attempts (user_id, assessment_id) where status = 'in_progress';
create index assessment_attempts_user_idx on assessment_attempts (user_id, started_at desc);
create index assessment_attempts_results_idx on assessment_attempts (assessment_id, status, percentage) include (user_id, passed);
create index assessment_attempts_session_idx on assessment_attempts (session_id) where session_id is not null;
create index assessment_attempts_graded_by_idx on assessment_attempts (graded_by) where graded_by is not null;
create index assessment_attempts_expiring_idx on assessment_attempts (expires_at) where status = 'in_progress' and expires_at is not null;
create index assessment_attempts_waiting_idx on assessment_attempts (submitted_at) where status = 'submitted';
create index assessment_attempts_started_idx on assessment_attempts (started_at);

create trigger set_updated_at before update on assessment_attempts for each row execute function set_updated_at();

create function keep_begun_assessment() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  changed uuid := case when tg_op = 'DELETE' then old.assessment_id else new.assessment_id end;
begin
  if exists (select from assessment_attempts where assessment_id = changed) and not in_maintenance(tg_relid) then
    raise exception 'assessment % has attempts: its questions and points stay', changed
      using errcode = 'check_violation', constraint = 'assessment_questions_begun_stays', table = 'assessment_questions',
            hint = 'Archive the assessment and publish a new one.';
  end if;
  return null;
end
$$;
comment on function keep_begun_assessment() is 'Trigger: everybody who takes an assessment is asked the same.';

create trigger keep_begun_assessment after insert or update or delete on assessment_questions
  for each row execute function keep_begun_assessment();

-- Begun in order, held to their life cycle, graded from their answers.

create function prepare_attempt() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if new.attempt_number is null then
    -- Two attempts begun at once get the same number, and the unique key refuses one of them.
    select coalesce(max(attempt_number), 0) + 1 into new.attempt_number
    from assessment_attempts where user_id = new.user_id and assessment_id = new.assessment_id;
  end if;
  if new.expires_at is null then
    select new.started_at + make_interval(mins => time_limit_minutes) into new.expires_at
    from assessments where id = new.assessment_id;
  end if;
  return new;
end
$$;
comment on function prepare_attempt() is 'Trigger: gives a new attempt its number and the end of its time.';

create function check_attempt_allowed() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  assessment assessments%rowtype;
begin
  select * into assessment from assessments where id = new.assessment_id;
  if not found or in_maintenance(tg_relid) then
    return null;
  end if;
  if new.status <> 'in_progress' then
    raise exception 'an attempt begins in progress, not %', new.status
      using errcode = 'check_violation', constraint = 'assessment_attempts_begin', table = 'assessment_attempts',
            hint = 'To import finished attempts, the table''s owner sets app.maintenance = ''on'' in its transaction.';
  end if;
  if assessment.status <> 'published' then
    raise exception 'assessment % is % and takes no attempts', assessment.id, assessment.status
      using errcode = 'check_violation', constraint = 'assessment_attempts_published', table = 'assessment_attempts';
  end if;
  if new.attempt_number > assessment.max_attempts then
    raise exception 'assessment % allows % attempts', assessment.id, assessment.max_attempts
      using errcode = 'check_violation', constraint = 'assessment_attempts_within_maximum', table = 'assessment_attempts';
  end if;
  return null;
end
$$;
comment on function check_attempt_allowed() is 'Trigger: attempts begin, at published assessments, as often as those allow.';

create trigger prepare_attempt before insert on assessment_attempts
  for each row execute function prepare_attempt();
create trigger check_attempt_allowed after insert on assessment_attempts
  for each row execute function check_attempt_allowed();

create function attempt_transition_allowed(from_status text, to_status text) returns boolean
  language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case from_status
    when 'in_progress' then to_status in ('submitted', 'abandoned')
    when 'submitted' then to_status = 'graded'
    -- Back for another look, say after a complaint.
    when 'graded' then to_status = 'submitted'
    else false end
$$;
comment on function attempt_transition_allowed(text, text) is 'Whether an attempt may go from one status to another.';

create function guard_attempt_update() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  ungraded bigint;
begin
  if (new.user_id, new.assessment_id, new.attempt_number, new.started_at)
     is distinct from (old.user_id, old.assessment_id, old.attempt_number, old.started_at) then
    raise exception 'attempt %: learner, assessment, number and start never change', old.id
      using errcode = 'check_violation', constraint = 'assessment_attempts_identity_stays', table = 'assessment_attempts';
  end if;
  if new.status = old.status or in_maintenance(tg_relid) then
    return new;
  end if;
  if not attempt_transition_allowed(old.status, new.status) then
    raise exception 'attempt %: status cannot go from % to %', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'assessment_attempts_status_transition', table = 'assessment_attempts';
  end if;
  if new.status = 'submitted' then
    new.submitted_at := coalesce(new.submitted_at, least(now(), new.expires_at));
    new.score := null;
    new.max_score := null;
    new.passed := null;
    new.graded_at := null;
    new.graded_by := null;
  elsif new.status = 'graded' then
    select count(*) filter (where points_awarded is null and max_points > 0), coalesce(sum(points_awarded), 0)
    into ungraded, new.score
    from attempt_answers where attempt_id = old.id;
    if ungraded > 0 then
      raise exception 'attempt %: % answers are not graded yet', old.id, ungraded
        using errcode = 'check_violation', constraint = 'assessment_attempts_answers_graded', table = 'assessment_attempts';
    end if;
    select coalesce(sum(points), 0) into new.max_score from assessment_questions where assessment_id = old.assessment_id;
    select round(100 * new.score / nullif(new.max_score, 0), 2) >= pass_percentage into new.passed
    from assessments where id = old.assessment_id;
    new.graded_at := coalesce(new.graded_at, greatest(now(), new.submitted_at));
  end if;
  return new;
end
$$;
comment on function guard_attempt_update() is
  'Trigger: holds an attempt to its life cycle. Grading adds up the answers'' points over all questions asked, the unanswered ones too.';

create trigger guard_attempt_update before update on assessment_attempts
  for each row execute function guard_attempt_update();

create function check_attempt_score() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  attempt assessment_attempts%rowtype;
  points numeric;
begin
  select * into attempt from assessment_attempts where id = new.id;
  if not found or attempt.status <> 'graded' then
    return null;
  end if;
  select coalesce(sum(points_awarded), 0) into points from attempt_answers where attempt_id = attempt.id;
  if attempt.score <> points then
    raise exception 'attempt %: score % differs from the points of its answers %', attempt.id, attempt.score, points
      using errcode = 'check_violation', constraint = 'assessment_attempts_score_matches_answers', table = 'assessment_attempts',
            hint = 'Grade the answers; the score follows when status goes to graded.';
  end if;
  return null;
end
$$;
comment on function check_attempt_score() is 'Constraint trigger at commit: a score is the sum of the answers'' points.';

create constraint trigger check_score_on_insert after insert on assessment_attempts deferrable initially deferred
  for each row execute function check_attempt_score();
create constraint trigger check_score_on_update after update of score, status on assessment_attempts deferrable initially deferred
  for each row execute function check_attempt_score();
