/** Partitions that every `up` and a daily job create in advance. */
export interface PartitionSpec {
  /**
   * `schema.name` of a function `(months_ahead integer, dry_run boolean) returns setof text` that returns the names of
   * the partitions that it created or would create.
   */
  function: string;
  /** Number of months after the current one for which there are partitions. */
  monthsAhead: number;
  /**
   * Number of months before the current one whose partitions are kept. A daily job drops older ones, in all tables of
   * the function's schema that are partitioned by a range of time. Default: none is dropped.
   */
  keepMonths?: number;
}

/** A statement that pg_cron or `pgw jobs run` runs on a schedule, as the migrator. */
export interface JobSpec {
  name: string;
  /** Cron syntax with five fields, in UTC, or `N seconds` from 1 to 59. */
  schedule: string;
  /** SQL that runs in the database. */
  command: string;
  /** True if the job is left out on servers without pg_cron. Default: false. */
  optional: boolean;
}
