--! Title: Six subjects with four topics each

-- The catalogue that courses, questions and mastery are sorted by. A topic that was renamed is given its name back; topics of one's own
-- are not touched.
insert into topics (id, slug, name, description, position)
select md5('topic:' || slug)::uuid, slug, name, description, position
from (values
  ('mathematics', 'Mathematics', 'Numbers, shapes and what follows from what', 10),
  ('programming', 'Programming', 'Telling a computer what to do', 20),
  ('science', 'Science', 'How nature works, and how one finds out', 30),
  ('languages', 'Languages', 'Words and grammar for talking to others', 40),
  ('history', 'History', 'What happened, and why', 50),
  ('learning-skills', 'Learning skills', 'Learning how to learn', 60)
) as subject (slug, name, description, position)
on conflict (slug) do update
  set name = excluded.name, description = excluded.description, position = excluded.position
  where (topics.name, topics.description, topics.position) is distinct from (excluded.name, excluded.description, excluded.position);

insert into topics (id, parent_id, slug, name, description, position)
select md5('topic:' || topic.slug)::uuid, subject.id, topic.slug, topic.name, topic.description, topic.position
from (values
  ('mathematics', 'arithmetic', 'Arithmetic', 'Adding, subtracting, multiplying, dividing', 10),
  ('mathematics', 'fractions', 'Fractions', 'Parts of a whole, and how to reckon with them', 20),
  ('mathematics', 'algebra', 'Algebra', 'Reckoning with unknowns', 30),
  ('mathematics', 'geometry', 'Geometry', 'Lines, angles, areas and volumes', 40),
  ('programming', 'python-basics', 'Python basics', 'Values, names and printing', 10),
  ('programming', 'control-flow', 'Control flow', 'Conditions and loops', 20),
  ('programming', 'functions', 'Functions', 'Naming a piece of work', 30),
  ('programming', 'data-structures', 'Data structures', 'Lists, dictionaries, sets', 40),
  ('science', 'cells', 'Cells', 'What living things are built of', 10),
  ('science', 'forces', 'Forces', 'Why things move, and why they stop', 20),
  ('science', 'atoms', 'Atoms', 'What everything is built of', 30),
  ('science', 'ecosystems', 'Ecosystems', 'Who lives on whom', 40),
  ('languages', 'spanish-vocabulary', 'Spanish vocabulary', 'The first thousand words', 10),
  ('languages', 'spanish-grammar', 'Spanish grammar', 'Verbs, genders and sentences', 20),
  ('languages', 'german-vocabulary', 'German vocabulary', 'The first thousand words', 30),
  ('languages', 'german-grammar', 'German grammar', 'Cases, verbs and word order', 40),
  ('history', 'antiquity', 'Antiquity', 'From the first cities to the fall of Rome', 10),
  ('history', 'middle-ages', 'Middle Ages', 'A thousand years that were not dark', 20),
  ('history', 'industrial-revolution', 'Industrial Revolution', 'Steam, factories, cities', 30),
  ('history', 'twentieth-century', 'Twentieth century', 'Wars, and what was built after them', 40),
  ('learning-skills', 'note-taking', 'Taking notes', 'Writing down what matters', 10),
  ('learning-skills', 'memory', 'Memory', 'Repeating at the right time', 20),
  ('learning-skills', 'planning', 'Planning', 'Goals, days and breaks', 30),
  ('learning-skills', 'reading-strategies', 'Reading', 'Skimming, asking, summing up', 40)
) as topic (subject, slug, name, description, position)
join topics as subject on subject.slug = topic.subject
on conflict (slug) do update
  set parent_id = excluded.parent_id, name = excluded.name, description = excluded.description, position = excluded.position
  where (topics.parent_id, topics.name, topics.description, topics.position)
    is distinct from (excluded.parent_id, excluded.name, excluded.description, excluded.position);
