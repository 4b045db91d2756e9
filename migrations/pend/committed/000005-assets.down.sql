drop table assets;

drop function guard_asset();
drop function asset_transition_allowed(text, text);
