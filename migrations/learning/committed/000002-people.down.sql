drop table learning_profiles, login_sessions, users;

drop function check_time_zone();
