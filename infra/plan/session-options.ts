/**
 * PGOPTIONS for programs that connect to a stack's server. Their sessions are idle or in use as long as their work
 * takes, regardless of the server's timeouts. The form `-c name=value` does not work: postgres_exporter expects each
 * word to be a pair.
 */
export const withoutLimits = [
  "--transaction_timeout=0",
  "--statement_timeout=0",
  "--lock_timeout=0",
  "--idle_in_transaction_session_timeout=0",
  "--idle_session_timeout=0",
].join(" ");
