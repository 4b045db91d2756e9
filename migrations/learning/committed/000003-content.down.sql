drop table lessons, courses, topics;

drop function check_topic_tree();
drop function search_configuration(text);
