--! Title: Stress test scenarios

-- Scenarios that every book is held against. Shocks are relative price changes, as strings: exact in every reader.
insert into stress_test_scenarios (id, name, description, scenario_type, shocks, reference_date) values
  ('50000000-0000-4000-8000-000000000001', 'Financial crisis 2008', 'The month after the fall of Lehman Brothers', 'historical',
    '{"index": "-0.28", "commodity": "-0.30", "XAUUSD": "-0.08", "forex": "-0.12", "USDJPY": "-0.07"}', '2008-09-15'),
  ('50000000-0000-4000-8000-000000000002', 'Flash crash 2010', 'Nine per cent in minutes', 'historical',
    '{"index": "-0.09", "commodity": "-0.04", "XAUUSD": "0.02", "USDJPY": "-0.04"}', '2010-05-06'),
  ('50000000-0000-4000-8000-000000000003', 'Swiss franc 2015', 'The floor of 1.20 francs a euro is given up', 'historical',
    '{"USDCHF": "-0.18", "EURUSD": "-0.02", "XAUUSD": "0.03"}', '2015-01-15'),
  ('50000000-0000-4000-8000-000000000004', 'Pandemic 2020', 'Four weeks from the peak', 'historical',
    '{"index": "-0.34", "USOIL": "-0.55", "XAUUSD": "-0.12", "XAGUSD": "-0.35", "crypto": "-0.50", "forex": "-0.06"}', '2020-02-20'),
  ('50000000-0000-4000-8000-000000000005', 'Crypto winter 2022', 'An exchange fails', 'historical',
    '{"crypto": "-0.25", "SOLUSD": "-0.60"}', '2022-11-08'),
  ('50000000-0000-4000-8000-000000000006', 'Dollar up 10 %', 'All else falls against the dollar', 'sensitivity',
    '{"forex": "-0.10", "USDJPY": "0.10", "USDCHF": "0.10", "USDCAD": "0.10", "commodity": "-0.05"}', null),
  ('50000000-0000-4000-8000-000000000007', 'Everything falls 20 %', 'No place to hide', 'hypothetical',
    '{"forex": "-0.20", "crypto": "-0.20", "commodity": "-0.20", "index": "-0.20", "equity": "-0.20"}', null)
on conflict (name) do update
  set description = excluded.description, scenario_type = excluded.scenario_type, shocks = excluded.shocks,
      reference_date = excluded.reference_date
  where (stress_test_scenarios.description, stress_test_scenarios.scenario_type, stress_test_scenarios.shocks,
         stress_test_scenarios.reference_date)
    is distinct from (excluded.description, excluded.scenario_type, excluded.shocks, excluded.reference_date);
