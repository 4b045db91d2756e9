--! Title: A month of provider quality, portfolio risk and stress tests, and what risk staff had to handle

insert into lp_performance_metrics (id, liquidity_provider_id, period_start, period_end, orders_sent, orders_filled, orders_rejected, volume_notional,
  average_latency_ms, p95_latency_ms, average_slippage_bps, average_spread_bps, uptime_ratio)
select md5(concat_ws(':', 'performance', code, age))::uuid, provider.id, day - make_interval(days => age), day - make_interval(days => age - 1),
  400 + (300 * noise)::integer, 380 + (250 * noise)::integer, 5 + (15 * noise)::integer, round(4000000 + 9000000 * noise, 2),
  round(priority * (1 + noise), 3), round(priority * (2 + 3 * noise), 3), round(noise - 0.4, 4), round(0.5 + priority / 40.0 + noise, 4), round(1 - 0.004 * noise, 6)
from (select date_trunc('day', created_at at time zone 'UTC') at time zone 'UTC' as day from users where id = '20000000-0000-4000-8000-000000000001') as anchor
cross join generate_series(1, 30) as age
cross join liquidity_providers as provider
cross join lateral (select ('x' || left(md5(code || age), 8))::bit(32)::bigint / 4294967296.0 as noise) as dice
where provider.id::text like '40000000-0000-4000-8000-%'
on conflict (id) do nothing;

insert into portfolio_risk (id, account_id, calculated_at, gross_exposure, net_exposure, leverage, var_95, var_99, expected_shortfall, max_drawdown,
  concentration, sharpe_ratio, by_asset_class)
select md5(concat_ws(':', 'portfolio', account_number, age))::uuid, accounts.id, day - make_interval(days => age),
  gross, round(gross * (noise - 0.3), 2), round(gross / 50000, 6), round(gross * 0.012, 2), round(gross * 0.019, 2), round(gross * 0.023, 2),
  round(0.02 + 0.1 * noise, 6), round(0.2 + 0.5 * noise, 6), round(2 * noise - 0.3, 6),
  jsonb_build_object('forex', round(gross * 0.5, 2)::text, 'crypto', round(gross * 0.3, 2)::text, 'index', round(gross * 0.2, 2)::text)
from (select date_trunc('day', created_at at time zone 'UTC') at time zone 'UTC' as day from users where id = '20000000-0000-4000-8000-000000000001') as anchor
cross join generate_series(1, 30) as age
cross join accounts
cross join lateral (select ('x' || left(md5(account_number || age), 8))::bit(32)::bigint / 4294967296.0 as noise) as dice
cross join lateral (select round(20000 + 180000 * noise, 2) as gross) as exposure
where account_number like 'DEMOSET-%'
on conflict (id) do nothing;

insert into position_risk_metrics (id, position_id, calculated_at, notional, var_95, var_99, expected_shortfall, delta)
select md5('position_risk:' || positions.id)::uuid, positions.id, positions.opened_at + interval '1 hour', notional, round(notional * 0.014, 2),
  round(notional * 0.022, 2), round(notional * 0.026, 2), case side when 'long' then positions.quantity else -positions.quantity end
from positions
join instruments on instruments.id = instrument_id
cross join lateral (select round(positions.quantity * contract_size * current_price, 2) as notional) as size
where positions.id::text like '60000000-0000-4000-8000-%' and positions.status = 'open'
on conflict (id) do nothing;

insert into stress_test_results (id, run_id, scenario_id, account_id, run_at, value_before, value_after, margin_level_after, triggers_margin_call)
select md5(concat_ws(':', 'stress', scenario.name, account_number))::uuid, md5('stress run')::uuid, scenario.id, accounts.id, accounts.created_at,
  80000, round(80000 * (1 - 0.4 * noise), 2), round(3 * (1 - noise), 6), noise > 0.7
from stress_test_scenarios as scenario
cross join accounts
cross join lateral (select ('x' || left(md5(account_number || scenario.name), 8))::bit(32)::bigint / 4294967296.0 as noise) as dice
where account_number like 'DEMOSET-%' and scenario.id::text like '50000000-0000-4000-8000-%'
on conflict (id) do nothing;

insert into margin_calls (id, account_id, status, equity, margin_used, amount_due, called_at, due_at, closed_at)
select md5('margin_call:' || account_number)::uuid, id, case account_number when 'DEMOSET-3' then 'open' else 'met' end, 9200, 10500, 1300,
  created_at, created_at + interval '1 day', case account_number when 'DEMOSET-3' then null else created_at + interval '3 hours' end
from accounts where account_number in ('DEMOSET-3', 'DEMOSET-6')
on conflict (id) do nothing;

insert into risk_limit_breaches (id, risk_limit_id, account_id, severity, measured_value, threshold, action_taken, breached_at)
select md5('breach:' || account_number)::uuid, risk_limits.id, accounts.id, case when account_number = 'DEMOSET-3' then 'breach' else 'warning' end,
  case when account_number = 'DEMOSET-3' then 11250 else 8400 end, risk_limits.threshold, case when account_number = 'DEMOSET-3' then 'close_only' else 'alert' end,
  accounts.created_at
from accounts join risk_limits on risk_limits.name = 'Daily loss'
where account_number in ('DEMOSET-3', 'DEMOSET-4', 'DEMOSET-6')
on conflict (id) do nothing;

insert into circuit_breaker_events (id, circuit_breaker_id, occurred_at, event_type, measured_value, threshold, reason)
select md5(concat_ws(':', 'breaker', breaker.name, event_type))::uuid, breaker.id, breaker.created_at - make_interval(mins => minutes), event_type,
  case event_type when 'tripped' then threshold * 1.1 end, threshold, reason
from circuit_breakers as breaker
cross join (values ('tripped', 300, 'Threshold passed'), ('reset', 290, 'Cooled down')) as happened (event_type, minutes, reason)
where breaker.id::text like '52000000-0000-4000-8000-%'
on conflict (id) do nothing;

insert into risk_events (id, occurred_at, event_type, severity, account_id, description, measured_value, threshold_value)
select md5('risk_event:' || breach.id)::uuid, breached_at, 'limit_breach', case severity when 'breach' then 'critical' else 'warning' end, account_id,
  'Daily loss near or over its limit', measured_value, threshold
from risk_limit_breaches as breach join accounts on accounts.id = account_id
where account_number like 'DEMOSET-%'
on conflict (id) do nothing;

insert into risk_alerts (id, severity, title, message, account_id, risk_limit_breach_id, created_at, delivered_to)
select md5('alert:' || breach.id)::uuid, case severity when 'breach' then 'critical' else 'warning' end, 'Daily loss of ' || account_number,
  'Measured ' || round(measured_value, 2) || ' of ' || round(threshold, 2), account_id, breach.id, breached_at, '{email}'
from risk_limit_breaches as breach join accounts on accounts.id = account_id
where account_number like 'DEMOSET-%'
on conflict (id) do nothing;
