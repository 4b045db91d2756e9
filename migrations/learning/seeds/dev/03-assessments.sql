--! Title: A quiz, an exam and a draft, with questions of every kind

insert into questions (id, topic_id, author_id, kind, prompt, hint, explanation, difficulty, numeric_answer, numeric_tolerance, accepted_answers, status)
select md5('question:' || code)::uuid, topics.id, '20000000-0000-4000-8000-000000000002', kind, prompt, hint, explanation, difficulty,
  numeric_answer, tolerance, accepted, 'published'
from (values
  ('fractions-half', 'fractions', 'single_choice', 'Which fraction is as large as one half?', 'Shorten each.', '4/8 is 1/2 extended by 4.', 0.2, null::numeric, null::numeric, null::text[]),
  ('fractions-larger', 'fractions', 'multiple_choice', 'Which of these are larger than 1?', 'When is the number above larger?', 'Those whose numerator is larger than their denominator.', 0.4, null, null, null),
  ('fractions-denominator', 'fractions', 'true_false', 'The denominator stands above the line.', '', 'It stands below; the numerator stands above.', 0.1, null, null, null),
  ('fractions-sum', 'fractions', 'numeric', 'How much is 1/4 + 1/2, as a decimal number?', 'Quarters.', '1/4 + 2/4 = 3/4 = 0.75', 0.5, 0.75, 0.001, null),
  ('fractions-name', 'arithmetic', 'short_text', 'What is the number above the line called?', '', 'The numerator counts.', 0.3, null, null, array['numerator', 'the numerator']),
  ('python-print', 'python-basics', 'single_choice', 'Which line writes Hello?', '', 'print is a function; its argument stands in parentheses.', 0.1, null, null, null),
  ('python-loop', 'control-flow', 'single_choice', 'How often does the body of for i in range(3) run?', 'Where does range begin?', 'For 0, 1 and 2.', 0.4, null, null, null),
  ('python-sum', 'control-flow', 'numeric', 'What is total after: total = 0; for i in range(5): total += i', '', '0 + 1 + 2 + 3 + 4 = 10', 0.6, 10, null, null),
  ('python-function', 'functions', 'true_false', 'A function without return returns None.', '', 'Every function returns something; None is what it returns without return.', 0.5, null, null, null),
  ('python-explain', 'functions', 'essay', 'Explain to a friend why one writes functions.', 'Think of names and of repetition.', '', 0.7, null, null, null)
) as question (code, topic, kind, prompt, hint, explanation, difficulty, numeric_answer, tolerance, accepted)
join topics on topics.slug = topic
on conflict (id) do nothing;

insert into question_options (id, question_id, position, content, is_correct, feedback)
select md5(format('option:%s:%s', code, position))::uuid, md5('question:' || code)::uuid, position, content, position = any (correct),
  case when position = any (correct) then 'Right.' else '' end
from (values
  ('fractions-half', array['1/3', '4/8', '2/5', '3/4'], array[2]),
  ('fractions-larger', array['3/2', '2/3', '7/5', '9/10'], array[1, 3]),
  ('fractions-denominator', array['True', 'False'], array[2]),
  ('python-print', array['print("Hello")', 'write Hello', 'echo "Hello"'], array[1]),
  ('python-loop', array['2 times', '3 times', '4 times'], array[2]),
  ('python-function', array['True', 'False'], array[1])
) as offered (code, choices, correct)
cross join unnest(choices) with ordinality as choice (content, position)
on conflict (id) do nothing;

insert into assessments (id, course_id, topic_id, author_id, kind, title, description, status, published_at, pass_percentage, time_limit_minutes,
  max_attempts, shows_answers)
select md5('assessment:' || code)::uuid, courses.id, topics.id, author.id, kind, assessment.title, assessment.description, assessment.status,
  case assessment.status when 'published' then author.created_at - interval '55 days' end, pass_percentage, minutes, attempts, shows_answers
from (values
  ('fractions-quiz', 'fractions-from-the-start', 'fractions', 'quiz', 'Fractions: check yourself', 'Five short questions', 'published', 60, null::integer, null::integer, 'at_once'),
  ('python-exam', 'python-first-steps', 'python-basics', 'exam', 'Python: final exam', 'An hour, two attempts', 'published', 70, 60, 2, 'after_grading'),
  ('data-structures-quiz', 'python-data-structures', 'data-structures', 'quiz', 'Lists: check yourself', 'Being written', 'draft', 60, null, null, 'at_once')
) as assessment (code, course, topic, kind, title, description, status, pass_percentage, minutes, attempts, shows_answers)
join courses on courses.id = md5('course:' || course)::uuid
join topics on topics.slug = topic
join users as author on author.id = '20000000-0000-4000-8000-000000000002'
on conflict (id) do nothing;

insert into assessment_questions (assessment_id, question_id, position, points)
select md5('assessment:' || assessment)::uuid, md5('question:' || code)::uuid, position, points
from (values
  ('fractions-quiz', 'fractions-half', 1, 1), ('fractions-quiz', 'fractions-larger', 2, 2), ('fractions-quiz', 'fractions-denominator', 3, 1),
  ('fractions-quiz', 'fractions-sum', 4, 2), ('fractions-quiz', 'fractions-name', 5, 1),
  ('python-exam', 'python-print', 1, 1), ('python-exam', 'python-loop', 2, 2), ('python-exam', 'python-sum', 3, 3),
  ('python-exam', 'python-function', 4, 1), ('python-exam', 'python-explain', 5, 5)
) as asked (assessment, code, position, points)
on conflict (assessment_id, question_id) do nothing;
