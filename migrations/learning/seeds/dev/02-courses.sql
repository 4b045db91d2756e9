--! Title: Two published courses with lessons, one draft

insert into courses (id, slug, topic_id, author_id, title, summary, description, level, language, tags, estimated_minutes, status, published_at)
select md5('course:' || course.slug)::uuid, course.slug, topics.id, author.id, title, summary, course.description, level, 'en', tags, minutes,
  course.status, case course.status when 'published' then author.created_at - interval '60 days' end
from (values
  ('fractions-from-the-start', 'fractions', 'Fractions from the start', 'Halves, thirds and how to add them',
    'Why a fraction is a number, how to shorten and extend it, and how to add, subtract, multiply and divide with it.',
    'beginner', array['mathematics', 'school', 'fractions'], 120, 'published'),
  ('python-first-steps', 'python-basics', 'Python: first steps', 'Your first programs, from print to a small game',
    'Values and names, conditions, loops and functions. At the end stands a game in which the computer guesses a number.',
    'beginner', array['programming', 'python', 'beginners'], 240, 'published'),
  ('python-data-structures', 'data-structures', 'Python: lists and dictionaries', 'Keeping many things at once',
    'Being written.', 'intermediate', array['programming', 'python'], null, 'draft')
) as course (slug, topic, title, summary, description, level, tags, minutes, status)
join topics on topics.slug = course.topic
join users as author on author.id = '20000000-0000-4000-8000-000000000002'
on conflict (id) do nothing;

insert into lessons (id, course_id, topic_id, slug, section, position, title, kind, body, media_url, estimated_minutes, is_required, status)
select md5(format('lesson:%s:%s', course, lesson.slug))::uuid, courses.id, topics.id, lesson.slug, section, lesson.position, lesson.title,
  lesson.kind, body, media_url, minutes, is_required, 'published'
from (values
  ('fractions-from-the-start', 'fractions', 'what-is-a-fraction', 'Basics', 10, 'What is a fraction?', 'reading',
    'A pizza cut into four equal pieces: one piece is one quarter. The number below says how many pieces make the whole, the number above how many you have.', null, 10, true),
  ('fractions-from-the-start', 'fractions', 'same-value-other-name', 'Basics', 20, 'Same value, other name', 'video',
    'One half, two quarters and four eighths are the same amount. Extending and shortening a fraction changes its name and not its value.', 'https://media.example.com/fractions/equivalent.mp4', 12, true),
  ('fractions-from-the-start', 'fractions', 'adding', 'Reckoning', 30, 'Adding and subtracting', 'interactive',
    'Fractions with the same denominator are added by their numerators. Others need a common denominator first.', null, 20, true),
  ('fractions-from-the-start', 'fractions', 'multiplying', 'Reckoning', 40, 'Multiplying and dividing', 'reading',
    'Multiply the numerators, multiply the denominators. To divide by a fraction, multiply by its reciprocal.', null, 20, true),
  ('fractions-from-the-start', 'arithmetic', 'practice', 'Reckoning', 50, 'Practice', 'exercise',
    'Twenty exercises that get harder as you get better.', null, 30, true),
  ('fractions-from-the-start', 'fractions', 'history-of-fractions', 'Beside the way', 60, 'Egyptian fractions', 'reading',
    'The Egyptians wrote every fraction as a sum of fractions with a one on top.', null, 10, false),
  ('python-first-steps', 'python-basics', 'hello', 'First programs', 10, 'Hello, world', 'reading',
    'print("Hello") writes a word. Every program begins with the first line and ends with the last.', null, 15, true),
  ('python-first-steps', 'python-basics', 'names', 'First programs', 20, 'Names for values', 'video',
    'A variable is a name for a value. age = 12 gives the value 12 the name age.', 'https://media.example.com/python/names.mp4', 15, true),
  ('python-first-steps', 'control-flow', 'conditions', 'Decisions', 30, 'If and else', 'interactive',
    'A program decides with if. What is indented below happens only when the condition is true.', null, 30, true),
  ('python-first-steps', 'control-flow', 'loops', 'Decisions', 40, 'Loops', 'interactive',
    'for repeats for each thing in a list, while repeats as long as a condition is true.', null, 40, true),
  ('python-first-steps', 'functions', 'functions', 'Larger programs', 50, 'Functions', 'reading',
    'A function is a piece of a program with a name. It takes arguments and returns a value.', null, 30, true)
) as lesson (course, topic, slug, section, position, title, kind, body, media_url, minutes, is_required)
join courses on courses.id = md5('course:' || course)::uuid
join topics on topics.slug = topic
on conflict (id) do nothing;
