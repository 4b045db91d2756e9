--! Previous: sha1:811fe2383558a938089be945f1957b7aec43a22e
--! Hash: sha1:dda507143a300739e4fb522fea50065037cb7a98
--! Message: mastery

create table topic_mastery (
  user_id uuid not null references users (id) on delete cascade,
  topic_id uuid not null references topics (id),
  mastery numeric(5,4) not null check (mastery > 0 and mastery < 1),
  answered_count integer not null check (answered_count > 0),
  correct_count integer not null check (correct_count >= 0),
  last_answered_at timestamptz not null,
  next_review_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_id, topic_id),
  constraint topic_mastery_correct_within_answered check (correct_count <= answered_count),
  constraint topic_mastery_review_after_answer check (next_review_at > last_answered_at)
);
comment on table topic_mastery is 'What a learner knows, by topic: computed from graded answers by refresh_topic_mastery().';
comment on column topic_mastery.mastery is
  'Probability of a right answer, from the latest 20: (right + 1) / (answered + 2), so that one right answer does not make a master.';
comment on column topic_mastery.next_review_at is 'When to practise again: the better it is known, the later.';

create index topic_mastery_topic_idx on topic_mastery (topic_id, mastery);
create index topic_mastery_review_idx on topic_mastery (next_review_at);

create trigger set_updated_at before update on topic_mastery for each row execute function set_updated_at();

-- What a graded attempt teaches the assistant: mastery of topics, or the learner's style.

create function refresh_topic_mastery(learner uuid) returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  -- One at a time for a learner: of two attempts graded at once, the second has to see the first.
  perform from users where id = learner for no key update;
  with answered as (
    select questions.topic_id, attempt_answers.is_correct, attempt_answers.answered_at,
      row_number() over (
        partition by questions.topic_id order by attempt_answers.answered_at desc, attempt_answers.attempt_id, questions.id) as age
    from assessment_attempts
    join attempt_answers on attempt_answers.attempt_id = assessment_attempts.id
    join questions on questions.id = attempt_answers.question_id
    where assessment_attempts.user_id = learner and assessment_attempts.status = 'graded'
      and attempt_answers.is_correct is not null and questions.topic_id is not null
  ), measured as (
    select topic_id, count(*) as answered_count, count(*) filter (where is_correct) as correct_count, max(answered_at) as last_answered_at,
      round((count(*) filter (where is_correct and age <= 20) + 1)::numeric / (count(*) filter (where age <= 20) + 2), 4) as mastery
    from answered
    group by topic_id
  ), forgotten as (
    delete from topic_mastery where user_id = learner and topic_id not in (select topic_id from measured)
  )
  insert into topic_mastery (user_id, topic_id, mastery, answered_count, correct_count, last_answered_at, next_review_at)
  select learner, topic_id, mastery, answered_count, correct_count, last_answered_at,
    last_answered_at + case when mastery < 0.5 then interval '1 day' when mastery < 0.7 then interval '3 days'
      when mastery < 0.85 then interval '7 days' else interval '21 days' end
  from measured
  on conflict (user_id, topic_id) do update
    set mastery = excluded.mastery, answered_count = excluded.answered_count, correct_count = excluded.correct_count,
        last_answered_at = excluded.last_answered_at, next_review_at = excluded.next_review_at
    where (topic_mastery.mastery, topic_mastery.answered_count, topic_mastery.correct_count, topic_mastery.last_answered_at)
      is distinct from (excluded.mastery, excluded.answered_count, excluded.correct_count, excluded.last_answered_at);
end
$$;
comment on function refresh_topic_mastery(uuid) is
  'Computes a learner''s mastery of all topics anew from graded answers; after imports, too. Repeatable.';

create function refresh_learning_style(learner uuid) returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  insert into learning_profiles as profile (user_id, learning_style, visual_score, auditory_score, reading_score, kinesthetic_score,
    style_assessed_at)
  select learner,
    case when greatest(visual, auditory, reading, kinesthetic) < 0.4 then 'mixed'
      when visual = greatest(visual, auditory, reading, kinesthetic) then 'visual'
      when auditory = greatest(auditory, reading, kinesthetic) then 'auditory'
      when reading = greatest(reading, kinesthetic) then 'reading'
      else 'kinesthetic' end,
    visual, auditory, reading, kinesthetic, assessed_at
  from (
    select round(count(*) filter (where trait = 'visual')::numeric / count(*), 4) as visual,
      round(count(*) filter (where trait = 'auditory')::numeric / count(*), 4) as auditory,
      round(count(*) filter (where trait = 'reading')::numeric / count(*), 4) as reading,
      round(count(*) filter (where trait = 'kinesthetic')::numeric / count(*), 4) as kinesthetic,
      latest.graded_at as assessed_at
    from (
      select assessment_attempts.id, assessment_attempts.graded_at
      from assessment_attempts
      join assessments on assessments.id = assessment_attempts.assessment_id
      where assessment_attempts.user_id = learner and assessment_attempts.status = 'graded' and assessments.kind = 'learning_style'
      order by assessment_attempts.graded_at desc, assessment_attempts.id
      limit 1
    ) as latest
    join attempt_answer_options on attempt_answer_options.attempt_id = latest.id
    join question_options on question_options.id = attempt_answer_options.option_id
    where trait is not null
    group by latest.graded_at
  ) as shares
  on conflict (user_id) do update
    set learning_style = excluded.learning_style, visual_score = excluded.visual_score, auditory_score = excluded.auditory_score,
        reading_score = excluded.reading_score, kinesthetic_score = excluded.kinesthetic_score,
        style_assessed_at = excluded.style_assessed_at
    where profile.style_assessed_at is distinct from excluded.style_assessed_at;
end
$$;
comment on function refresh_learning_style(uuid) is
  'Writes the style that the latest graded learning style assessment shows into the learner''s profile. Repeatable.';

create function learn_from_attempt() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if (new.status = 'graded') = (old.status = 'graded') then
    return null;
  end if;
  if exists (select from assessments where id = new.assessment_id and kind = 'learning_style') then
    perform refresh_learning_style(new.user_id);
  else
    perform refresh_topic_mastery(new.user_id);
  end if;
  return null;
end
$$;
comment on function learn_from_attempt() is 'Trigger: mastery and learning style follow the grades, forth and back.';

create trigger learn_from_attempt after update of status on assessment_attempts
  for each row execute function learn_from_attempt();
