drop trigger audit_deletion on assessment_attempts;
drop trigger audit_regrading on attempt_answers;
drop trigger audit_regrading on assessment_attempts;
drop trigger audit_change on assessment_questions;
drop trigger audit_change on question_options;
drop trigger audit_change on questions;
drop trigger audit_change on assessments;
drop trigger audit_change on lessons;
drop trigger audit_change on courses;
drop trigger audit_change on users;

drop table audit_log;

drop function audit_row_change();
drop function redact_row(jsonb);
