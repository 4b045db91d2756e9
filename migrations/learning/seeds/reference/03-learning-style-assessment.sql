--! Title: The learning style assessment

-- Eight questions of four choices, each of which speaks for one style. Never changed once somebody has begun it, so nothing is mended
-- here: another wording is another assessment.
insert into questions (id, kind, prompt, status)
select md5('style question:' || n)::uuid, 'survey', prompt, 'published'
from unnest(array[
  'You want to find the way to a place that you do not know. What do you do?',
  'You are to learn how a bicycle gear works. What helps you most?',
  'Somebody explains a new game to you. When do you understand it?',
  'You want to remember a telephone number. How?',
  'A machine does not work. What do you try first?',
  'What do you remember best of a holiday?',
  'You have an hour for a hard topic. How do you spend it?',
  'How do you like to be told that you made a mistake?'
]) with ordinality as asked (prompt, n)
on conflict (id) do nothing;

insert into question_options (id, question_id, position, content, trait)
select md5(format('style option:%s:%s', n, position))::uuid, md5('style question:' || n)::uuid, position, content,
  (array['visual', 'auditory', 'reading', 'kinesthetic'])[position]
from (values
  (1, array['I look at a map', 'I ask somebody', 'I read a description of the way', 'I set out and see']),
  (2, array['A drawing of its parts', 'Somebody who tells me', 'A page of text', 'Taking one apart']),
  (3, array['When I see others play', 'When I hear the rules', 'When I read the rules', 'When I play']),
  (4, array['I see it before me', 'I say it aloud', 'I write it down', 'I feel my finger dialling it']),
  (5, array['I look at how it is put together', 'I call somebody', 'I read the manual', 'I press everything']),
  (6, array['What it looked like', 'Voices and music', 'What I read about it', 'What I did']),
  (7, array['I draw a picture of it', 'I listen to a lecture', 'I read and mark', 'I do exercises']),
  (8, array['Show me where', 'Talk to me', 'Write it beside my answer', 'Let me try again'])
) as offered (n, choices)
cross join unnest(choices) with ordinality as choice (content, position)
on conflict (id) do nothing;

insert into assessments (id, kind, title, description, status, published_at, shuffles_questions, shows_answers)
values (md5('assessment:learning-style')::uuid, 'learning_style', 'How do you learn?',
  'Eight questions without right or wrong. The assistant chooses by your answers how it explains.', 'published', now(), false, 'never')
on conflict (id) do nothing;

insert into assessment_questions (assessment_id, question_id, position, points)
select md5('assessment:learning-style')::uuid, md5('style question:' || n)::uuid, n, 0
from generate_series(1, 8) as n
on conflict (assessment_id, question_id) do nothing;
