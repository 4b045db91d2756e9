drop table api_usage_logs, system_metrics, system_logs;
