/**
 * Server settings that end a session or change its behaviour, unless the session sets its own values. They leave enough
 * time for every statement of the tests.
 */
export const hostileSettings: Readonly<Record<string, string>> = {
  statement_timeout: "1s",
  lock_timeout: "20ms",
  idle_session_timeout: "1s",
  idle_in_transaction_session_timeout: "1s",
  transaction_timeout: "1s",
  DateStyle: "SQL, DMY",
  IntervalStyle: "iso_8601",
  TimeZone: "Asia/Kolkata",
  bytea_output: "escape",
  extra_float_digits: "-10",
  quote_all_identifiers: "on",
  array_nulls: "off",
  default_transaction_isolation: "serializable",
};
