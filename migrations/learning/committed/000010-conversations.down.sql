drop table messages, conversations;

drop function keep_message();
drop function number_message();
