drop trigger learn_from_attempt on assessment_attempts;
drop table topic_mastery;

drop function learn_from_attempt();
drop function refresh_learning_style(uuid);
drop function refresh_topic_mastery(uuid);
