drop table assessment_questions, question_options, questions, assessments;

drop function check_assessment_questions();
drop function check_question_options();
