--! Previous: sha1:cbd7cc83b39c7b37fa56be83f4ae76eff4ce2f83
--! Hash: sha1:74629052ad2a467070e11bc17a423dd50df3cb5e
--! Message: investments

create table investments (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id),
  asset_id uuid not null references assets (id),
  status text not null default 'pending' check (status in ('pending', 'active', 'redeemed', 'defaulted', 'cancelled')),
  amount numeric(20,6) not null check (amount > 0),
  fee numeric(20,6) not null check (fee >= 0),
  unit_price numeric(20,6) not null check (unit_price > 0),
  units numeric(24,8) not null check (units > 0),
  expected_return_rate numeric(9,6) not null,
  redeemed_amount numeric(20,6) check (redeemed_amount >= 0),
  source text not null default 'web' check (source in ('web', 'mobile', 'api', 'admin', 'system')),
  cancel_reason text,
  placed_at timestamptz not null default now(),
  activated_at timestamptz constraint investments_activated_after_placing check (activated_at >= placed_at),
  matures_at timestamptz constraint investments_matures_after_placing check (matures_at > placed_at),
  ended_at timestamptz constraint investments_ended_after_placing check (ended_at >= placed_at),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (id, user_id),
  constraint investments_fee_below_amount check (fee < amount),
  constraint investments_units_fit_amount check (abs(units * unit_price - amount) <= unit_price * 0.00000001),
  constraint investments_active_has_time check ((status in ('active', 'redeemed', 'defaulted')) = (activated_at is not null)),
  constraint investments_ended_has_time check ((status in ('redeemed', 'defaulted', 'cancelled')) = (ended_at is not null)),
  constraint investments_redeemed_has_amount check ((status = 'redeemed') = (redeemed_amount is not null)),
  constraint investments_cancelled_has_reason check ((status = 'cancelled') = (cancel_reason is not null))
);
comment on table investments is 'A user''s money in an asset, at the terms of the day. Paid and agreed to it becomes active; it never goes away.';
comment on column investments.units is 'amount / unit_price, rounded to the eighth digit.';
comment on column investments.fee is 'Charged on top; the share that the user''s tier has, unless the row says another.';
comment on column investments.redeemed_amount is 'Paid back at the end, returns on the way not counted.';

create table investment_agreements (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id),
  investment_id uuid,
  agreement_type text not null check (agreement_type in (
    'terms_of_service', 'privacy_policy', 'risk_disclosure', 'subscription', 'data_sharing')),
  version text not null check (version ~ '^[0-9]{4}-[0-9]{2}(\.[0-9]+)?$'),
  decision text not null default 'accepted' check (decision in ('accepted', 'withdrawn')),
  document_sha256 text not null check (document_sha256 ~ '^[0-9a-f]{64}$'),
  language text not null default 'en' check (language ~ '^[a-z]{2}$'),
  signature text check (signature ~ '^0x[0-9a-f]{130}$'),
  ip inet not null,
  user_agent text,
  decided_at timestamptz not null default now(),
  foreign key (investment_id, user_id) references investments (id, user_id),
  constraint investment_agreements_subscription_names_investment check ((agreement_type = 'subscription') = (investment_id is not null)),
  constraint investment_agreements_subscription_stays check (agreement_type <> 'subscription' or decision = 'accepted')
);
comment on table investment_agreements is 'What a user agreed to, in which wording, when and from where. Append-only: consent taken back is a row of its own.';
comment on column investment_agreements.document_sha256 is 'Of the document as it was shown, in hex.';
comment on column investment_agreements.signature is 'Made with the wallet''s key over document_sha256; null where a click was enough.';

-- A user's portfolio; what an asset raised, and from how many; both without the table.
create index idx_investments_user_asset on investments (user_id, asset_id) include (status, amount);
create index investments_asset_idx on investments (asset_id, status) include (amount, user_id);
create index investments_pending_idx on investments (placed_at) where status = 'pending';
create index investments_placed_idx on investments (placed_at desc) include (status, amount, asset_id);
create index investments_maturing_idx on investments (matures_at) where status = 'active' and matures_at is not null;

create index investment_agreements_user_idx on investment_agreements (user_id, agreement_type, decided_at desc);
create index investment_agreements_investment_idx on investment_agreements (investment_id, user_id) where investment_id is not null;

create function place_investment() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  investor users%rowtype;
  tier user_tiers%rowtype;
  asset assets%rowtype;
  refusal text;
begin
  -- Always the user before the asset, so that no two investments wait for each other in a circle.
  select * into investor from users where id = new.user_id for no key update;
  select * into tier from user_tiers where code = investor.tier_code;
  select * into asset from assets where id = new.asset_id for no key update;
  -- Of nobody, or in nothing: whatever fits, since the foreign keys are what refuses the row.
  new.unit_price := coalesce(new.unit_price, asset.unit_price, 1);
  new.expected_return_rate := coalesce(new.expected_return_rate, asset.expected_return_rate, 0);
  new.units := coalesce(new.units, round(new.amount / nullif(new.unit_price, 0), 8));
  new.fee := coalesce(new.fee, round(new.amount * coalesce(tier.fee_rate, 0), 6));
  if in_maintenance(tg_relid) or asset.id is null or investor.id is null then
    return new;
  end if;
  refusal := case
    when new.status <> 'pending' then format('it begins as pending, not as %s', new.status)
    when investor.status <> 'active' then format('the user is %s', investor.status)
    when investor.kyc_level < asset.required_kyc_level then
      format('the user''s KYC level is %s and the asset needs %s', investor.kyc_level, asset.required_kyc_level)
    when tier.rank < (select rank from user_tiers where code = asset.required_tier) then
      format('the user''s tier is %s and the asset needs %s', tier.code, asset.required_tier)
    when not (asset.status = 'open' or (asset.kind = 'pool' and asset.status = 'active')) then format('the asset is %s', asset.status)
    when now() < asset.opens_at - make_interval(hours => tier.early_access_hours) then format('the asset opens at %s', asset.opens_at)
    when now() >= asset.closes_at then format('the asset closed at %s', asset.closes_at)
    when new.unit_price <> asset.unit_price then format('a unit costs %s, not %s', asset.unit_price, new.unit_price)
    when new.amount < asset.minimum_investment then format('%s is less than the least of %s', new.amount, asset.minimum_investment)
    when new.amount > least(asset.maximum_investment, tier.max_investment) then
      format('%s is more than the most of %s', new.amount, least(asset.maximum_investment, tier.max_investment))
    when new.amount > asset.target_amount - asset.raised_amount then
      format('%s is more than the %s that are left', new.amount, asset.target_amount - asset.raised_amount)
    when tier.max_total_invested is not null and new.amount + (
      select coalesce(sum(amount), 0) from investments where user_id = new.user_id and status in ('pending', 'active')
    ) > tier.max_total_invested then format('the user would have more than %s invested', tier.max_total_invested)
  end;
  if refusal is not null then
    raise exception 'investment in %: %', asset.code, refusal
      using errcode = 'check_violation', constraint = 'investments_allowed', table = 'investments';
  end if;
  return new;
end
$$;
comment on function place_investment() is
  'Trigger: fills in the terms of asset and tier, and lets in what user, tier and asset allow, under the row locks of user and asset.';

create function apply_investment() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  -- What the row counts after, less what it counted before, by asset.
  update assets
  set raised_amount = raised_amount + moved.amount
  from (
    select asset_id, sum(amount) as amount
    from (
      select new.asset_id, new.amount where tg_op <> 'DELETE' and new.status <> 'cancelled'
      union all
      select old.asset_id, -old.amount where tg_op <> 'INSERT' and old.status <> 'cancelled'
    ) as step
    group by asset_id
  ) as moved
  where assets.id = moved.asset_id and moved.amount <> 0;
  return null;
end
$$;
comment on function apply_investment() is 'Trigger: moves the asset''s raised_amount with its investments.';

create trigger place_investment before insert on investments for each row execute function place_investment();
create trigger apply_investment after insert or update or delete on investments for each row execute function apply_investment();
create trigger set_updated_at before update on investments for each row execute function set_updated_at();
select keep_rows('investments'), make_append_only('investment_agreements');
