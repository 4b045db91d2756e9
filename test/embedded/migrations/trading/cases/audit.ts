import { at, type TableCases } from "../../table-cases.ts";
import { seeded } from "./seeded.ts";

export const auditCases: TableCases[] = [
  {
    table: "audit_log",
    row: (n) => ({
      occurred_at: at(n),
      table_name: "users",
      record_id: "1",
      action: "update",
      old_data: "{}",
      new_data: "{}",
      changed_columns: ["email"],
    }),
    rejects: {
      audit_log_action_check: { action: "nonsense", changed_columns: null },
      audit_log_data_fits_action: { old_data: null },
      audit_log_update_names_columns: { changed_columns: null },
    },
  },
  {
    table: "order_audit",
    row: (n) => ({
      occurred_at: at(n),
      order_id: seeded.workingOrder,
      account_id: seeded.account,
      action: "insert",
      new_data: "{}",
    }),
    rejects: {
      order_audit_action_check: { action: "nonsense", old_data: "{}" },
      order_audit_data_fits_action: { new_data: null },
    },
  },
  {
    table: "position_audit",
    row: () => ({ position_id: seeded.position, account_id: seeded.account, action: "insert", new_data: "{}" }),
    rejects: {
      position_audit_action_check: { action: "nonsense", old_data: "{}" },
      position_audit_data_fits_action: { old_data: "{}" },
    },
  },
  {
    table: "account_audit",
    row: () => ({ account_id: seeded.account, action: "delete", old_data: "{}" }),
    rejects: {
      account_audit_action_check: { action: "nonsense", new_data: "{}" },
      account_audit_data_fits_action: { old_data: null },
    },
  },
  {
    table: "user_activity_log",
    row: (n) => ({ occurred_at: at(n), user_id: seeded.trader, activity: "session.login" }),
    rejects: {
      user_activity_log_activity_check: { activity: "?" },
      user_activity_log_details_check: { details: "[]" },
      user_activity_log_resource_has_type: { resource_id: "1" },
    },
  },
  {
    table: "api_access_log",
    row: (n) => ({ occurred_at: at(n), method: "GET", path: "/v1/orders", status_code: 200, duration_ms: "1.5" }),
    rejects: {
      api_access_log_duration_ms_check: { duration_ms: -1 },
      api_access_log_method_check: { method: "nonsense" },
      api_access_log_path_check: { path: "v1/orders" },
      api_access_log_request_bytes_check: { request_bytes: -1 },
      api_access_log_response_bytes_check: { response_bytes: -1 },
      api_access_log_status_code_check: { status_code: 600 },
    },
  },
  {
    table: "system_events",
    row: () => ({ severity: "info", component: "test", event_type: "test.ran", message: "Test" }),
    rejects: {
      system_events_component_check: { component: "" },
      system_events_details_check: { details: "[]" },
      system_events_event_type_check: { event_type: "?" },
      system_events_severity_check: { severity: "nonsense" },
    },
  },
  {
    table: "risk_events",
    row: () => ({ event_type: "margin_call", severity: "info", description: "Test" }),
    rejects: {
      risk_events_acknowledged_has_time: { status: "resolved", resolved_at: at(1), acknowledged_by: seeded.admin },
      risk_events_details_check: { details: "[]" },
      risk_events_event_type_check: { event_type: "nonsense" },
      risk_events_severity_check: { severity: "nonsense" },
      risk_events_status_check: { status: "nonsense", resolved_at: at(1) },
      risk_events_status_has_times: { status: "acknowledged" },
    },
    referring: {
      risk_events_acknowledged_by_fkey: { status: "acknowledged", acknowledged_at: at(1) },
    },
  },
  {
    table: "compliance_events",
    row: () => ({ occurred_at: at(1), event_type: "kyc_review", severity: "info", description: "Test" }),
    rejects: {
      compliance_events_closed_has_resolution: { status: "closed", closed_at: at(2) },
      compliance_events_details_check: { details: "[]" },
      compliance_events_due_after_event: { due_at: at(1) },
      compliance_events_event_type_check: { event_type: "nonsense" },
      compliance_events_report_has_reference: { reported_at: at(2) },
      compliance_events_reported_has_time: { status: "reported" },
      compliance_events_severity_check: { severity: "nonsense" },
      compliance_events_status_check: { status: "nonsense" },
    },
  },
];
