drop table contract_interactions, blockchain_events;

drop function guard_interaction_status();
drop function keep_facts();
