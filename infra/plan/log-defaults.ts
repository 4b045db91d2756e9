/**
 * Settings for measuring and logging of every server that the kit starts. The stack's own settings override them. Each
 * takes effect with a reload.
 */
export const logDefaults: Readonly<Record<string, string>> = {
  // PostgreSQL logs no slow statement by default. One that takes a second is slow for an application.
  log_min_duration_statement: "1s",
  // Parameters are an application's data, and the log is kept by others than the database.
  log_parameter_max_length: "0",
  // PostgreSQL's default is 10 min. Amazon recommends 1 to 5 s: "Logging autovacuum and vacuum activities" of RDS.
  log_autovacuum_min_duration: "5s",
  // Times of reads and writes in pg_stat_database, EXPLAIN (BUFFERS) and the log of autovacuum. PostgreSQL's default is
  // off, for machines on which reading the clock is slow. On current ones it takes tens of nanoseconds.
  track_io_timing: "on",
};
