--! Previous: sha1:cf8a9019d7265eb3101c986a0c56ddb9287f9751
--! Hash: sha1:f5d692a22007629f59e2961ca8432417c063e6d7
--! Message: integrity findings

-- What constraints cannot say and triggers keep, looked at from outside: after an import from the system before, which runs in
-- maintenance or with triggers off, and before and after a change of the schema.

create function integrity_findings() returns table (finding text, table_name text, record_id text)
  language sql stable set search_path = pg_catalog, public, pg_temp
as $$
  select 'the score is not the sum of the answers'' points', 'assessment_attempts', assessment_attempts.id::text
  from assessment_attempts
  left join (select attempt_id, sum(points_awarded) as points from attempt_answers group by attempt_id) as answered
    on answered.attempt_id = assessment_attempts.id
  where assessment_attempts.status = 'graded' and assessment_attempts.score <> coalesce(answered.points, 0)
  union all
  select 'the answer is to another assessment than its attempt', 'attempt_answers', attempt_id || ',' || question_id
  from attempt_answers
  join assessment_attempts on assessment_attempts.id = attempt_answers.attempt_id
  where attempt_answers.assessment_id <> assessment_attempts.assessment_id
  union all
  select 'the answer came after the attempt''s time', 'attempt_answers', attempt_id || ',' || question_id
  from attempt_answers
  join assessment_attempts on assessment_attempts.id = attempt_answers.attempt_id
  where attempt_answers.answered_at > assessment_attempts.expires_at
  union all
  select 'the attempts do not count from 1 without gaps', 'assessment_attempts', user_id || ',' || assessment_id
  from assessment_attempts
  group by user_id, assessment_id
  having max(attempt_number) <> count(*)
  union all
  select 'mastery is not counted from the graded answers', 'topic_mastery',
    coalesce(counted.user_id, topic_mastery.user_id) || ',' || coalesce(counted.topic_id, topic_mastery.topic_id)
  from (
    select assessment_attempts.user_id, questions.topic_id, count(*) as answers, count(*) filter (where is_correct) as correct_answers
    from attempt_answers
    join assessment_attempts on assessment_attempts.id = attempt_answers.attempt_id
    join questions on questions.id = attempt_answers.question_id
    where assessment_attempts.status = 'graded' and is_correct is not null and questions.topic_id is not null
    group by assessment_attempts.user_id, questions.topic_id
  ) as counted
  full join topic_mastery on topic_mastery.user_id = counted.user_id and topic_mastery.topic_id = counted.topic_id
  where (counted.answers, counted.correct_answers) is distinct from (topic_mastery.answered_count::bigint, topic_mastery.correct_count::bigint)
  union all
  select 'the lesson is of another course than the enrolment', 'lesson_progress', enrolment_id || ',' || lesson_id
  from lesson_progress
  join enrolments on enrolments.id = lesson_progress.enrolment_id
  join lessons on lessons.id = lesson_progress.lesson_id
  where lessons.course_id <> enrolments.course_id
  union all
  select 'the messages do not count from 1 to the last without gaps', 'conversations', conversations.id::text
  from conversations
  left join (select conversation_id, count(*) as number, max(position) as last from messages group by conversation_id) as said
    on said.conversation_id = conversations.id
  where conversations.last_position <> coalesce(said.last, 0) or conversations.last_position <> coalesce(said.number, 0)
  union all
  select 'the options do not fit a published question of its kind', 'questions', questions.id::text
  from questions
  left join (
    select question_id, count(*) as options, count(*) filter (where is_correct) as correct, count(trait) as traits
    from question_options group by question_id
  ) as offered on offered.question_id = questions.id
  where questions.status = 'published' and not case questions.kind
    when 'single_choice' then coalesce(options >= 2 and correct = 1 and traits = 0, false)
    when 'multiple_choice' then coalesce(options >= 2 and correct >= 1 and traits = 0, false)
    when 'true_false' then coalesce(options = 2 and correct = 1 and traits = 0, false)
    when 'survey' then coalesce(options >= 2 and correct = 0, false)
    else options is null end
  union all
  select 'the published assessment asks nothing, or something unfinished, or of another kind', 'assessments', assessments.id::text
  from assessments
  left join (
    select assessment_id, bool_and(questions.status <> 'draft') as finished, bool_and(questions.kind = 'survey') as only_surveys,
      bool_or(questions.kind = 'survey') as any_survey
    from assessment_questions join questions on questions.id = question_id
    group by assessment_id
  ) as asked on asked.assessment_id = assessments.id
  where assessments.status = 'published'
    and not coalesce(finished and case when assessments.kind = 'learning_style' then only_surveys else not any_survey end, false)
  union all
  select 'more than one option is chosen of a single choice', 'attempt_answers', attempt_id || ',' || question_id
  from attempt_answer_options
  join questions on questions.id = question_id
  where questions.kind in ('single_choice', 'true_false')
  group by attempt_id, question_id
  having count(*) > 1
$$;
comment on function integrity_findings() is
  'Rows that break a rule which triggers keep: none in a sound database. Reads whole tables; for after an import, not for every day.';
select restrict_to_owner('integrity_findings()');
