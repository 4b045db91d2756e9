drop trigger guard_user on users;
drop table kyc_documents, kyc_applications;

drop function keep_decided_documents();
drop function apply_kyc_decision();
drop function guard_kyc_application();
drop function kyc_transition_allowed(text, text);
drop function guard_user();
drop function approved_kyc_level(uuid);
