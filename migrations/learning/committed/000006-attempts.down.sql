drop trigger keep_begun_assessment on assessment_questions;
drop table assessment_attempts;

drop function check_attempt_score();
drop function guard_attempt_update();
drop function attempt_transition_allowed(text, text);
drop function check_attempt_allowed();
drop function prepare_attempt();
drop function keep_begun_assessment();
