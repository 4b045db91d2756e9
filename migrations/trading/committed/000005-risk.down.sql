drop table stress_test_results, stress_test_scenarios, risk_alerts, circuit_breaker_events, circuit_breakers, portfolio_risk,
  position_risk_metrics, margin_calls, margin_requirements, risk_limit_breaches, risk_limits;
