import { at, numbered, type TableCases } from "../../table-cases.ts";
import { seeded } from "./seeded.ts";

const attempted = { attempts: 1, last_attempt_at: at(1) };

export const activityCases: TableCases[] = [
  {
    table: "external_service_calls",
    row: () => ({
      called_at: at(0),
      service: "listwatch",
      operation: "pep.search",
      method: "POST",
      url: "https://api.example/v1/pep",
      outcome: "succeeded",
      status_code: 200,
      duration_ms: 12.5,
    }),
    rejects: {
      external_service_calls_attempt_check: { attempt: 0 },
      external_service_calls_cost_check: { cost: -1 },
      external_service_calls_details_check: { details: "[]" },
      external_service_calls_duration_ms_check: { duration_ms: -1 },
      external_service_calls_error_message_check: { outcome: "failed", error_message: "" },
      external_service_calls_failure_has_message: { outcome: "failed" },
      external_service_calls_method_check: { method: "nonsense" },
      external_service_calls_operation_check: { operation: "?" },
      external_service_calls_outcome_check: { outcome: "nonsense", error_message: "case" },
      external_service_calls_request_bytes_check: { request_bytes: -1 },
      external_service_calls_request_id_check: { request_id: "" },
      external_service_calls_response_bytes_check: { response_bytes: -1 },
      external_service_calls_service_check: { service: "?" },
      external_service_calls_status_code_check: { status_code: 99 },
      external_service_calls_success_has_code: { status_code: 400 },
      external_service_calls_url_check: { url: "https://api.example/v1/pep?name=case" },
    },
  },
  {
    table: "webhooks",
    row: (n) => ({
      user_id: seeded.analyst,
      name: "Case",
      url: `https://case.example/${n}`,
      event_types: ["business.activated"],
      secret_ciphertext: Buffer.alloc(32),
    }),
    rejects: {
      webhooks_consecutive_failures_check: { consecutive_failures: -1 },
      webhooks_disabled_has_reason: { status: "disabled" },
      webhooks_disabled_reason_check: { status: "disabled", disabled_reason: "" },
      webhooks_event_types_named: { event_types: [] },
      webhooks_max_attempts_check: { max_attempts: 0 },
      webhooks_name_check: { name: "" },
      webhooks_secret_ciphertext_check: { secret_ciphertext: Buffer.alloc(31) },
      webhooks_status_check: { status: "nonsense" },
      webhooks_url_check: { url: "http://case.example/" },
    },
  },
  {
    table: "webhook_events",
    row: (n) => ({
      webhook_id: seeded.webhook,
      event_id: numbered("70000000", n),
      event_type: "business.activated",
      payload: "{}",
      created_at: at(0),
    }),
    rejects: {
      webhook_events_attempted_has_time: { last_attempt_at: at(1) },
      webhook_events_delivered_has_time: { delivered_at: at(1) },
      webhook_events_event_type_check: { event_type: "?" },
      webhook_events_last_error_check: { last_error: "" },
      webhook_events_last_status_code_check: { last_status_code: 99 },
      webhook_events_open_has_next_attempt: { next_attempt_at: null },
      webhook_events_payload_check: { payload: "[]" },
      webhook_events_status_check: { ...attempted, status: "nonsense", next_attempt_at: null },
      webhook_events_status_fits_attempts: attempted,
    },
  },
  {
    table: "audit_logs",
    row: () => ({ action: "session.login", resource_type: "session", resource_id: "1" }),
    rejects: {
      audit_logs_action_check: { action: "?" },
      audit_logs_data_fits_action: { new_data: "{}" },
      audit_logs_details_check: { details: "[]" },
      audit_logs_resource_type_check: { resource_type: "?" },
      audit_logs_update_names_columns: { changed_columns: ["name"] },
    },
  },
];
