--! Title: Twelve badges

insert into achievements (id, code, name, description, category, points, criteria)
select md5('achievement:' || code)::uuid, code, name, description, category, points, criteria::jsonb
from (values
  ('first_session', 'First steps', 'Finished a first session', 'streak', 5, '{"sessions": 1}'),
  ('streak_7', 'A week in a row', 'Learned on seven days in a row', 'streak', 20, '{"streak_days": 7}'),
  ('streak_30', 'A month in a row', 'Learned on thirty days in a row', 'streak', 80, '{"streak_days": 30}'),
  ('streak_100', 'A hundred days', 'Learned on a hundred days in a row', 'streak', 250, '{"streak_days": 100}'),
  ('first_course', 'Course completed', 'Completed a first course', 'course', 30, '{"courses_completed": 1}'),
  ('five_courses', 'Well travelled', 'Completed five courses', 'course', 150, '{"courses_completed": 5}'),
  ('first_pass', 'Passed', 'Passed a first assessment', 'assessment', 10, '{"assessments_passed": 1}'),
  ('perfect_score', 'Not one mistake', 'Got every point of an exam', 'assessment', 60, '{"kind": "exam", "percentage": 100}'),
  ('knows_own_style', 'Know thyself', 'Took the learning style assessment', 'assessment', 5, '{"kind": "learning_style"}'),
  ('first_mastery', 'Mastered', 'Mastered a first topic', 'mastery', 25, '{"topics": 1, "mastery": 0.85}'),
  ('ten_masteries', 'Scholar', 'Mastered ten topics', 'mastery', 120, '{"topics": 10, "mastery": 0.85}'),
  ('good_questions', 'Good questions', 'Asked the assistant a hundred questions', 'community', 40, '{"messages": 100}')
) as badge (code, name, description, category, points, criteria)
on conflict (code) do update
  set name = excluded.name, description = excluded.description, category = excluded.category, points = excluded.points,
      criteria = excluded.criteria
  where (achievements.name, achievements.description, achievements.category, achievements.points, achievements.criteria)
    is distinct from (excluded.name, excluded.description, excluded.category, excluded.points, excluded.criteria);
