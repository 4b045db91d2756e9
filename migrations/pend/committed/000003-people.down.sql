drop table user_profiles, users, user_tiers;

drop function forget_user();
