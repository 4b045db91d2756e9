--! Previous: sha1:46ba9e62a2a37acb836e9a0090b2920816ec39dd
--! Hash: sha1:cbd7cc83b39c7b37fa56be83f4ae76eff4ce2f83
--! Message: assets

create table assets (
  id uuid primary key default gen_random_uuid(),
  legacy_id text check (legacy_id <> ''),
  code text not null unique check (code ~ '^[A-Z0-9][A-Z0-9-]{1,29}$'),
  name text not null check (name <> ''),
  summary text not null default '',
  description text not null default '' check (length(description) <= 20000),
  kind text not null check (kind in ('opportunity', 'pool')),
  asset_class text not null check (asset_class in (
    'real_estate', 'agriculture', 'renewable_energy', 'trade_finance', 'private_credit', 'infrastructure', 'commodity')),
  country_code text check (country_code ~ '^[A-Z]{2}$'),
  status text not null default 'draft' check (status in ('draft', 'open', 'funded', 'active', 'matured', 'closed', 'cancelled')),
  risk_rating text not null check (risk_rating in ('low', 'medium', 'high')),
  expected_return_rate numeric(9,6) not null check (expected_return_rate between -1 and 10),
  term_months smallint check (term_months between 1 and 600),
  unit_price numeric(20,6) not null check (unit_price > 0),
  target_amount numeric(20,6) not null,
  raised_amount numeric(20,6) not null default 0,
  minimum_investment numeric(20,6) not null check (minimum_investment > 0),
  maximum_investment numeric(20,6),
  required_kyc_level smallint not null default 1 check (required_kyc_level between 0 and 3),
  required_tier text references user_tiers (code),
  opens_at timestamptz,
  closes_at timestamptz,
  matures_at timestamptz,
  chain_id integer check (chain_id > 0),
  contract_address text check (contract_address ~ '^0x[0-9a-f]{40}$'),
  token_symbol text check (token_symbol ~ '^[A-Z0-9]{2,11}$'),
  tags text[] not null default '{}',
  documents jsonb not null default '[]' check (jsonb_typeof(documents) = 'array'),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  search tsvector generated always as (
    setweight(to_tsvector('pg_catalog.english', name), 'A') || setweight(to_tsvector('pg_catalog.english', summary), 'B')
    || setweight(to_tsvector('pg_catalog.english', description), 'C')) stored,
  created_by uuid references admin_users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint assets_deleted_after_creation check (deleted_at >= created_at),
  constraint assets_raised_within_target check (raised_amount >= 0 and raised_amount <= target_amount),
  constraint assets_minimum_within_target check (minimum_investment <= target_amount),
  constraint assets_investment_range check (maximum_investment >= minimum_investment),
  constraint assets_closes_after_opening check (closes_at > opens_at),
  constraint assets_matures_after_closing check (matures_at >= closes_at),
  constraint assets_open_has_time check (status in ('draft', 'cancelled') or opens_at is not null),
  constraint assets_opportunity_has_term check (kind = 'pool' or term_months is not null),
  constraint assets_contract_has_chain check ((contract_address is null) = (chain_id is null)),
  constraint assets_token_has_contract check (token_symbol is null or contract_address is not null),
  constraint assets_deleted_is_over check (deleted_at is null or status in ('draft', 'closed', 'cancelled'))
);
comment on table assets is 'What can be invested in: opportunities, which are funded once, and pools, which take money as long as they run.';
comment on column assets.expected_return_rate is 'A year; 0.08 is 8 %.';
comment on column assets.raised_amount is 'Sum of the investments that are not cancelled; kept by the investments, not set by hand.';
comment on column assets.maximum_investment is 'Most that one investment may be; null has no limit but the tier''s.';
comment on column assets.required_tier is 'Lowest tier that may invest; null for all.';
comment on column assets.contract_address is 'Contract that holds the asset''s tokens, in lower case.';
comment on column assets.documents is 'Prospectus and reports: [{"title": "", "url": "", "sha256": ""}].';
comment on column assets.search is 'Name, summary and description as English words, weighted A to C.';

-- Search: words, and names that are written nearly so; what is on offer by class and return; tags.
create index assets_search_idx on assets using gin (search) where deleted_at is null;
create index assets_name_trgm_idx on assets using gin (name gin_trgm_ops);
create index assets_tags_idx on assets using gin (tags);
create index assets_offered_idx on assets (asset_class, expected_return_rate desc) include (raised_amount, target_amount)
  where status in ('open', 'active') and deleted_at is null;

create index assets_status_opens_idx on assets (status, opens_at desc) where deleted_at is null;
create index assets_closing_idx on assets (closes_at) where status = 'open';
create index assets_maturing_idx on assets (matures_at) where status = 'active';
create unique index assets_contract_key on assets (chain_id, contract_address) where contract_address is not null;
create index assets_contract_address_idx on assets (contract_address) where contract_address is not null;
create index assets_required_tier_idx on assets (required_tier) where required_tier is not null;
create index assets_created_by_idx on assets (created_by) where created_by is not null;
create unique index assets_legacy_id_key on assets (legacy_id) where legacy_id is not null;

-- Terms stay once somebody relied on them, and what was raised follows the investments.

create function asset_transition_allowed(old_status text, new_status text) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case old_status
    when 'draft' then new_status in ('open', 'cancelled')
    when 'open' then new_status in ('funded', 'active', 'cancelled')
    when 'funded' then new_status in ('active', 'cancelled')
    when 'active' then new_status in ('matured', 'closed')
    when 'matured' then new_status = 'closed'
    else false end
$$;
comment on function asset_transition_allowed(text, text) is 'Whether an asset may go from one status to the other.';

create function guard_asset() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if in_maintenance(tg_relid) then
    return new;
  end if;
  if tg_op = 'INSERT' then
    if new.raised_amount <> 0 then
      raise exception 'asset %: raised_amount begins at 0 and follows the investments', new.code
        using errcode = 'check_violation', constraint = 'assets_raised_follows_investments', table = 'assets';
    end if;
    return new;
  end if;
  -- The investments' trigger is the one way for raised_amount to move.
  if new.raised_amount <> old.raised_amount and pg_trigger_depth() < 2 then
    raise exception 'asset %: raised_amount follows the investments', old.code
      using errcode = 'check_violation', constraint = 'assets_raised_follows_investments', table = 'assets';
  end if;
  if new.status <> old.status and not asset_transition_allowed(old.status, new.status) then
    raise exception 'asset % cannot go from % to %', old.code, old.status, new.status
      using errcode = 'check_violation', constraint = 'assets_status_transition', table = 'assets';
  end if;
  if old.raised_amount > 0
     and (new.kind, new.unit_price, new.expected_return_rate, new.term_months) is distinct from
         (old.kind, old.unit_price, old.expected_return_rate, old.term_months) and new.kind = 'opportunity' then
    raise exception 'asset %: terms stay once there are investments', old.code
      using errcode = 'check_violation', constraint = 'assets_terms_stay', table = 'assets',
            hint = 'Offer another asset. A pool''s price and rate may move; its investments keep their own.';
  end if;
  if old.contract_address is not null and (new.chain_id, new.contract_address) is distinct from (old.chain_id, old.contract_address) then
    raise exception 'asset %: the contract stays', old.code
      using errcode = 'check_violation', constraint = 'assets_contract_stays', table = 'assets';
  end if;
  return new;
end
$$;
comment on function guard_asset() is 'Trigger: an asset goes through its steps; terms, contract and what was raised are not changed by hand.';

create trigger guard_asset before insert or update on assets for each row execute function guard_asset();
create trigger set_updated_at before update on assets for each row execute function set_updated_at();
select keep_rows('assets');
