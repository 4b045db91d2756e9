drop table sessions, lesson_progress, enrolments;

drop function guard_enrolment_update();
drop function apply_lesson_progress();
