drop table investment_agreements, investments;

drop function apply_investment();
drop function place_investment();
