--! Title: Six courses of eight lessons, each with a quiz

create temporary table demo_lessons on commit drop as
select course, n, title, sentence
from (values
  ('algebra-one', array[
    'Letters for numbers', 'A letter stands for a number that is not known yet.',
    'Terms', 'Terms with the same letters can be added.',
    'Brackets', 'What stands before a bracket multiplies everything inside.',
    'Equations', 'Whatever is done to one side is done to the other.',
    'Word problems', 'First name the unknown, then write what is told about it.',
    'Two unknowns', 'Two equations are needed for two unknowns.',
    'Squares', 'A square equation has two solutions, one or none.',
    'Functions', 'A function gives one result for each input.']),
  ('forces-and-motion', array[
    'Speed', 'Speed is the way divided by the time.',
    'Acceleration', 'Acceleration is how fast the speed changes.',
    'Inertia', 'What nothing pushes goes on as it was.',
    'Force and mass', 'The same force moves a smaller mass more.',
    'Action and reaction', 'What is pushed pushes back just as much.',
    'Friction', 'Friction works against the motion.',
    'Gravity', 'All masses attract each other.',
    'Energy', 'Energy changes its form and never gets lost.']),
  ('the-living-cell', array[
    'Discovery', 'Cells were named after the rooms of monks.',
    'The membrane', 'The membrane chooses what goes in and out.',
    'The nucleus', 'The nucleus keeps the plan of the whole.',
    'Mitochondria', 'Mitochondria make the energy that a cell spends.',
    'Chloroplasts', 'Chloroplasts make sugar out of light.',
    'Dividing', 'One cell becomes two with the same plan.',
    'Bacteria', 'Bacteria are cells without a nucleus.',
    'Tissue', 'Cells with one task together make a tissue.']),
  ('spanish-a1', array[
    'Greetings', 'Buenos días is said until noon.',
    'Numbers', 'Veintiuno is written as one word.',
    'Family', 'Hermanos can mean brothers and sisters.',
    'Ser and estar', 'Ser says what something is, estar how or where.',
    'Food', 'La cuenta, por favor asks for the bill.',
    'Regular verbs', 'Verbs end in -ar, -er or -ir.',
    'Days and months', 'Days and months are written small.',
    'The way', 'Todo recto means straight on.']),
  ('age-of-steam', array[
    'Before', 'Most people worked on the land.',
    'The steam engine', 'Watt''s engine saved most of the coal.',
    'Cotton', 'Spinning was the first work done in factories.',
    'Railways', 'Trains made every town use the same clock.',
    'Cities', 'Cities grew faster than their drains.',
    'Work', 'The factory''s bell took the place of the sun.',
    'Protest', 'The Luddites broke the machines that took their work.',
    'After', 'Electricity made small machines possible.']),
  ('learning-to-learn', array[
    'Goals', 'A goal needs a day by which it is reached.',
    'Forgetting', 'Most is forgotten within the first day.',
    'Repeating', 'Repeat just before you would forget.',
    'Testing yourself', 'Recalling teaches more than reading again.',
    'Notes', 'Write in your own words.',
    'Breaks', 'A short break after twenty-five minutes keeps you awake.',
    'Sleep', 'What was learned by day is stored by night.',
    'Teaching', 'Explain it to somebody, and you see what you lack.'])
) as written (course, texts)
cross join generate_series(1, 8) as n
cross join lateral (select texts[2 * n - 1] as title, texts[2 * n] as sentence) as lesson;

insert into courses (id, slug, topic_id, author_id, title, summary, description, level, tags, estimated_minutes, status, published_at, metadata)
select md5('course:' || course.slug)::uuid, course.slug, topics.id, author.id, title, summary,
  (select string_agg(sentence, ' ' order by n) from demo_lessons where course = course.slug), level, tags, 160, 'published',
  author.created_at + make_interval(days => 5 * number), '{"seed": "demo"}'
from (values
  (1, 'algebra-one', 'algebra', 'Algebra I', 'From letters to functions', 'intermediate', array['mathematics', 'school']),
  (2, 'forces-and-motion', 'forces', 'Forces and motion', 'Why things move, and why they stop', 'beginner', array['science', 'physics', 'school']),
  (3, 'the-living-cell', 'cells', 'The living cell', 'What all that lives is built of', 'intermediate', array['science', 'biology']),
  (4, 'spanish-a1', 'spanish-vocabulary', 'Spanish A1', 'First words and sentences', 'beginner', array['languages', 'spanish', 'travel']),
  (5, 'age-of-steam', 'industrial-revolution', 'The age of steam', 'How machines changed work and cities', 'advanced', array['history']),
  (6, 'learning-to-learn', 'memory', 'Learning to learn', 'What helps, and what only feels as if it did', 'beginner', array['skills', 'memory'])
) as course (number, slug, topic, title, summary, level, tags)
join topics on topics.slug = topic
join users as author on author.id = md5('demo user:tutor@example.com')::uuid
on conflict (id) do nothing;

insert into lessons (id, course_id, topic_id, slug, section, position, title, kind, body, media_url, estimated_minutes, status)
select md5(format('lesson:%s:%s', course, n))::uuid, courses.id, topic_id, 'lesson-' || n, case when n <= 4 then 'First part' else 'Second part' end, 10 * n,
  demo_lessons.title, (array['reading', 'video', 'interactive', 'exercise'])[1 + n % 4], sentence,
  case when n % 4 = 1 then format('https://media.example.com/%s/%s.mp4', course, n) end, 15 + n, 'published'
from demo_lessons join courses on courses.id = md5('course:' || course)::uuid
on conflict (id) do nothing;

-- Which sentence sums a lesson up? The wrong ones are those of its neighbours.
insert into questions (id, topic_id, author_id, kind, prompt, explanation, difficulty, status, metadata)
select md5(format('question:%s:%s', course, n))::uuid, topic_id, author_id, 'single_choice', format('Which sentence sums up “%s”?', demo_lessons.title), sentence,
  0.15 + 0.08 * n, 'published', '{"seed": "demo"}'
from demo_lessons join courses on courses.id = md5('course:' || course)::uuid
on conflict (id) do nothing;

insert into question_options (id, question_id, position, content, is_correct)
select md5(format('option:%s:%s:%s', asked.course, asked.n, position))::uuid, md5(format('question:%s:%s', asked.course, asked.n))::uuid, position,
  offered.sentence, offered.n = asked.n
from demo_lessons as asked
cross join generate_series(1, 4) as position
-- The right one stands at 1 + n % 4.
join demo_lessons as offered on offered.course = asked.course and offered.n = 1 + (asked.n - 1 + position - 1 - asked.n % 4 + 8) % 8
on conflict (id) do nothing;

insert into assessments (id, course_id, topic_id, author_id, kind, title, description, status, published_at, pass_percentage, time_limit_minutes,
  shows_answers, metadata)
select md5('assessment:' || slug)::uuid, id, topic_id, author_id, 'quiz', title || ': quiz', 'Eight questions in twenty minutes', 'published', published_at, 60, 20,
  'at_once', '{"seed": "demo"}'
from courses where metadata ->> 'seed' = 'demo'
on conflict (id) do nothing;

insert into assessment_questions (assessment_id, question_id, position, points)
select md5('assessment:' || course)::uuid, md5(format('question:%s:%s', course, n))::uuid, n, case when n > 6 then 2 else 1 end
from demo_lessons
on conflict (assessment_id, question_id) do nothing;
