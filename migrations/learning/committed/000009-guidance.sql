--! Previous: sha1:dda507143a300739e4fb522fea50065037cb7a98
--! Hash: sha1:82a5b3ae236cc701b6fa38444b82c7446a276253
--! Message: guidance

create table learning_goals (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  kind text not null check (kind in ('weekly_minutes', 'course_completion', 'topic_mastery')),
  course_id uuid references courses (id),
  topic_id uuid references topics (id),
  target_value numeric(8,2) not null check (target_value > 0),
  status text not null default 'active' check (status in ('active', 'achieved', 'missed', 'abandoned')),
  starts_on date not null default current_date,
  due_on date,
  achieved_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint learning_goals_subject_fits_kind check (
    (kind = 'course_completion') = (course_id is not null) and (kind = 'topic_mastery') = (topic_id is not null)),
  constraint learning_goals_target_fits_kind check (kind = 'weekly_minutes' or target_value <= 100),
  constraint learning_goals_due_after_start check (due_on >= starts_on),
  constraint learning_goals_achieved_has_time check ((status = 'achieved') = (achieved_at is not null))
);
comment on table learning_goals is 'What learners set out to do.';
comment on column learning_goals.target_value is 'Minutes a week, or a percentage: of the course completed, of the topic mastered.';

create table recommendations (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  course_id uuid references courses (id) on delete cascade,
  lesson_id uuid references lessons (id) on delete cascade,
  assessment_id uuid references assessments (id) on delete cascade,
  topic_id uuid references topics (id) on delete cascade,
  reason text not null check (reason in ('weak_topic', 'review_due', 'next_lesson', 'interest', 'popular', 'goal')),
  explanation text not null default '',
  score numeric(5,4) not null check (score between 0 and 1),
  status text not null default 'new' check (status in ('new', 'shown', 'accepted', 'dismissed', 'expired')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  expires_at timestamptz constraint recommendations_expires_after_creation check (expires_at > created_at),
  responded_at timestamptz constraint recommendations_responded_after_creation check (responded_at >= created_at),
  constraint recommendations_one_subject check (num_nonnulls(course_id, lesson_id, assessment_id, topic_id) = 1),
  constraint recommendations_response_has_time check ((status in ('accepted', 'dismissed')) = (responded_at is not null))
);
comment on table recommendations is 'What the assistant advises a learner to do next: a course, a lesson, an assessment or a topic to review.';
comment on column recommendations.score is 'How strongly: the highest is shown first.';

create table achievements (
  id uuid primary key default gen_random_uuid(),
  code text not null unique check (code ~ '^[a-z][a-z0-9_]{2,49}$'),
  name text not null check (name <> ''),
  description text not null,
  category text not null check (category in ('streak', 'course', 'assessment', 'mastery', 'community')),
  points smallint not null check (points > 0),
  criteria jsonb not null check (jsonb_typeof(criteria) = 'object'),
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table achievements is 'Badges that can be earned.';
comment on column achievements.criteria is 'What the application compares, such as {"streak_days": 7}.';

create table user_achievements (
  user_id uuid not null references users (id) on delete cascade,
  achievement_id uuid not null references achievements (id),
  awarded_at timestamptz not null default now(),
  context jsonb not null default '{}' check (jsonb_typeof(context) = 'object'),
  primary key (user_id, achievement_id)
);
comment on table user_achievements is 'Badges earned.';

create table notifications (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  kind text not null check (kind in ('reminder', 'review_due', 'result', 'achievement', 'deadline', 'announcement')),
  channel text not null default 'in_app' check (channel in ('in_app', 'email', 'push')),
  title text not null check (title <> ''),
  body text not null default '',
  data jsonb not null default '{}' check (jsonb_typeof(data) = 'object'),
  scheduled_for timestamptz not null default now(),
  sent_at timestamptz,
  read_at timestamptz,
  failure text check (failure <> ''),
  created_at timestamptz not null default now(),
  constraint notifications_read_after_sending check (read_at >= sent_at),
  constraint notifications_read_was_sent check (read_at is null or sent_at is not null),
  constraint notifications_failed_not_sent check (failure is null or sent_at is null)
);
comment on table notifications is 'What learners are told, and when: reminders, results, deadlines.';
comment on column notifications.data is 'Where a tap leads, such as {"attempt_id": "…"}.';

create index learning_goals_user_idx on learning_goals (user_id, status);
create index learning_goals_course_idx on learning_goals (course_id) where course_id is not null;
create index learning_goals_topic_idx on learning_goals (topic_id) where topic_id is not null;
create index learning_goals_due_idx on learning_goals (due_on) where status = 'active';

create unique index recommendations_one_open_key on recommendations (user_id, course_id, lesson_id, assessment_id, topic_id)
  nulls not distinct where status in ('new', 'shown');
create index recommendations_user_idx on recommendations (user_id, status, score desc);
create index recommendations_course_idx on recommendations (course_id) where course_id is not null;
create index recommendations_lesson_idx on recommendations (lesson_id) where lesson_id is not null;
create index recommendations_assessment_idx on recommendations (assessment_id) where assessment_id is not null;
create index recommendations_topic_idx on recommendations (topic_id) where topic_id is not null;
create index recommendations_expiring_idx on recommendations (expires_at) where status in ('new', 'shown');

create index user_achievements_achievement_idx on user_achievements (achievement_id);
create index notifications_user_idx on notifications (user_id, scheduled_for desc);
create index notifications_unread_idx on notifications (user_id) where sent_at is not null and read_at is null;
create index notifications_due_idx on notifications (scheduled_for) where sent_at is null and failure is null;

create trigger set_updated_at before update on learning_goals for each row execute function set_updated_at();
create trigger set_updated_at before update on recommendations for each row execute function set_updated_at();
create trigger set_updated_at before update on achievements for each row execute function set_updated_at();
