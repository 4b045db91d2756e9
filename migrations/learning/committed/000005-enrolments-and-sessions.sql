--! Previous: sha1:5f8f518e931f933c7efddf44ca345309dc214db0
--! Hash: sha1:dc1a3dd23ad2d7b3fd30996dba415a5a31a062ab
--! Message: enrolments and sessions

create table enrolments (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  course_id uuid not null references courses (id),
  status text not null default 'active' check (status in ('active', 'completed', 'withdrawn')),
  progress_percentage numeric(5,2) not null default 0 check (progress_percentage between 0 and 100),
  enrolled_at timestamptz not null default now(),
  due_at timestamptz constraint enrolments_due_after_enrolment check (due_at > enrolled_at),
  completed_at timestamptz constraint enrolments_completed_after_enrolment check (completed_at >= enrolled_at),
  withdrawn_at timestamptz constraint enrolments_withdrawn_after_enrolment check (withdrawn_at >= enrolled_at),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint enrolments_completed_has_time check ((status = 'completed') = (completed_at is not null)),
  constraint enrolments_withdrawn_has_time check ((status = 'withdrawn') = (withdrawn_at is not null)),
  constraint enrolments_completed_is_whole check (status <> 'completed' or progress_percentage = 100)
);
comment on table enrolments is 'Who takes which course. After a withdrawal one may enrol again, in a new row.';
comment on column enrolments.progress_percentage is 'Required lessons completed, of all required; kept by the trigger on lesson_progress.';

create table lesson_progress (
  enrolment_id uuid not null references enrolments (id) on delete cascade,
  lesson_id uuid not null references lessons (id),
  status text not null default 'in_progress' check (status in ('in_progress', 'completed')),
  percentage numeric(5,2) not null default 0 check (percentage between 0 and 100),
  time_spent_seconds integer not null default 0 check (time_spent_seconds >= 0),
  media_position_seconds integer check (media_position_seconds >= 0),
  opened_at timestamptz not null default now(),
  last_opened_at timestamptz not null default now(),
  completed_at timestamptz constraint lesson_progress_completed_after_opening check (completed_at >= opened_at),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (enrolment_id, lesson_id),
  constraint lesson_progress_last_opened_after_opening check (last_opened_at >= opened_at),
  constraint lesson_progress_completed_has_time check ((status = 'completed') = (completed_at is not null)),
  constraint lesson_progress_completed_is_whole check (status <> 'completed' or percentage = 100)
);
comment on table lesson_progress is 'How far a learner is in each lesson; there is no row before it was opened.';
comment on column lesson_progress.media_position_seconds is 'Where a video goes on.';

create table sessions (
  id uuid primary key default gen_random_uuid(),
  legacy_id text check (legacy_id <> ''),
  user_id uuid not null references users (id) on delete cascade,
  course_id uuid references courses (id),
  lesson_id uuid,
  kind text not null default 'study' check (kind in ('study', 'practice', 'review', 'assessment', 'tutoring')),
  device text not null default 'web' check (device in ('web', 'desktop', 'ios', 'android')),
  started_at timestamptz not null default now(),
  last_active_at timestamptz not null default now(),
  ended_at timestamptz,
  end_reason text check (end_reason in ('finished', 'idle', 'replaced')),
  active_seconds integer not null default 0 check (active_seconds >= 0),
  duration_seconds integer generated always as (ceil(extract(epoch from ended_at - started_at))::integer) stored,
  focus_score numeric(5,4) check (focus_score between 0 and 1),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (lesson_id, course_id) references lessons (id, course_id),
  constraint sessions_lesson_has_course check (lesson_id is null or course_id is not null),
  constraint sessions_active_after_start check (last_active_at >= started_at),
  constraint sessions_ended_after_active check (ended_at >= last_active_at),
  constraint sessions_ended_has_reason check ((ended_at is null) = (end_reason is null)),
  constraint sessions_active_within_duration check (active_seconds <= ceil(extract(epoch from ended_at - started_at)))
);
comment on table sessions is 'Learning sessions: a learner at work from a start to an end. Logins stand in login_sessions.';
comment on column sessions.active_seconds is 'Time with input; duration_seconds less the idle time.';
comment on column sessions.focus_score is 'Share of the time spent on the session''s own subject, as the application saw it.';

create unique index sessions_legacy_id_key on sessions (legacy_id) where legacy_id is not null;

create unique index enrolments_one_current_key on enrolments (user_id, course_id) where status <> 'withdrawn';
create index enrolments_user_idx on enrolments (user_id, enrolled_at desc);
create index enrolments_course_idx on enrolments (course_id, status) include (progress_percentage);
create index enrolments_due_idx on enrolments (due_at) where status = 'active' and due_at is not null;
create index lesson_progress_lesson_idx on lesson_progress (lesson_id, status);

-- Recent sessions of a learner, with what the charts add up; sessions nobody ended; everybody's in a span of time.
create index sessions_user_idx on sessions (user_id, started_at desc) include (active_seconds, kind);
create unique index sessions_one_open_key on sessions (user_id) where ended_at is null;
create index sessions_idle_idx on sessions (last_active_at) where ended_at is null;
create index sessions_course_idx on sessions (course_id, started_at desc) where course_id is not null;
create index sessions_lesson_idx on sessions (lesson_id, course_id) where lesson_id is not null;
create index sessions_started_idx on sessions (started_at);

create trigger set_updated_at before update on enrolments for each row execute function set_updated_at();
create trigger set_updated_at before update on lesson_progress for each row execute function set_updated_at();
create trigger set_updated_at before update on sessions for each row execute function set_updated_at();

-- Completed lessons move the enrolment.

create function apply_lesson_progress() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  enrolment enrolments%rowtype;
  required bigint;
  completed bigint;
begin
  select * into enrolment from enrolments where id = new.enrolment_id for no key update;
  if not found then
    return null; -- the foreign key says it better
  end if;
  if not exists (select from lessons where id = new.lesson_id and course_id = enrolment.course_id) then
    if exists (select from lessons where id = new.lesson_id) then
      raise exception 'lesson % is not of course %, which the enrolment is for', new.lesson_id, enrolment.course_id
        using errcode = 'check_violation', constraint = 'lesson_progress_lesson_of_course', table = 'lesson_progress';
    end if;
    return null;
  end if;
  if enrolment.status = 'withdrawn' then
    raise exception 'enrolment % is withdrawn and makes no progress', enrolment.id
      using errcode = 'check_violation', constraint = 'lesson_progress_enrolment_active', table = 'lesson_progress',
            hint = 'Enrol again.';
  end if;
  if enrolment.status = 'completed' then
    return null; -- going through it again
  end if;
  select count(*), count(*) filter (where lesson_progress.status = 'completed') into required, completed
  from lessons
  left join lesson_progress on lesson_progress.lesson_id = lessons.id and lesson_progress.enrolment_id = enrolment.id
  where lessons.course_id = enrolment.course_id and lessons.is_required and lessons.status = 'published';
  if required = 0 then
    return null;
  end if;
  update enrolments
  set progress_percentage = round(100.0 * completed / required, 2),
      status = case when completed = required then 'completed' else enrolments.status end,
      completed_at = case when completed = required then greatest(coalesce(new.completed_at, now()), enrolments.enrolled_at) end
  where id = enrolment.id and (progress_percentage <> round(100.0 * completed / required, 2) or completed = required);
  return null;
end
$$;
comment on function apply_lesson_progress() is 'Trigger: an enrolment''s progress follows its lessons, under the enrolment''s row lock.';

create trigger keep_columns before update of enrolment_id, lesson_id on lesson_progress
  for each row execute function keep_columns('enrolment_id', 'lesson_id');
create trigger apply_lesson_progress after insert or update of status on lesson_progress
  for each row execute function apply_lesson_progress();

-- Taken out one by one, lessons would leave the progress behind that they made; the enrolment takes them along.
select revoke_from_grantees('lesson_progress', array['DELETE', 'TRUNCATE']);

create function guard_enrolment_update() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if new.status <> old.status and old.status <> 'active' and not in_maintenance(tg_relid) then
    raise exception 'enrolment %: status cannot go from % to %', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'enrolments_status_transition', table = 'enrolments';
  end if;
  if (new.user_id, new.course_id) is distinct from (old.user_id, old.course_id) then
    raise exception 'enrolment %: learner and course never change', old.id
      using errcode = 'check_violation', constraint = 'enrolments_identity_stays', table = 'enrolments';
  end if;
  return new;
end
$$;
comment on function guard_enrolment_update() is 'Trigger: completed and withdrawn are final.';

create trigger guard_enrolment_update before update on enrolments
  for each row execute function guard_enrolment_update();
