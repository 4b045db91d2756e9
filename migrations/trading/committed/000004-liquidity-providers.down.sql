drop index order_fills_liquidity_provider_idx;
alter table order_fills drop constraint order_fills_liquidity_provider_id_fkey;

-- With lp_quotes go its partitions.
drop table lp_exposure, lp_performance_metrics, lp_order_routing, sor_rules, client_profiles, lp_quotes, lp_instruments,
  liquidity_providers;
