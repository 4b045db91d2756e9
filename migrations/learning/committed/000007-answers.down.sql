drop table attempt_answer_options, attempt_answers;

drop function check_single_choice();
drop function check_answer_form();
drop function guard_answer_change();
drop function stamp_answer();
drop function prepare_answer();
