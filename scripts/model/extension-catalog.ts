/** One privilege that `up` grants on objects of an extension, because the extension's own script does not. */
export interface ExtensionGrant {
  to: "owner" | "migrator" | "app" | "readonly";
  on: "schema" | "table" | "sequence" | "function" | "foreign data wrapper";
  privileges: readonly string[];
  /** Names of functions. Default: all objects of this kind that belong to the extension. */
  names?: readonly string[];
}

/** An extension of the image. */
export interface ImageExtension {
  /** Purpose, in a few words. */
  purpose: string;
  /** Grants without which migrations cannot use it. Default: it needs none. */
  grants?: readonly ExtensionGrant[];
  /** Reason why only a superuser can use it. Default: migrations can use it. */
  superuserOnly?: string;
  /** Anything else that a user must know. */
  note?: string;
  /** True if the server must load its library at its start. */
  isPreloaded?: boolean;
  /** True if the image has it only with PostGIS. */
  withPostgis?: boolean;
}

/** Grants EXECUTE to the owner, on all functions of an extension or on those with the given names. */
function execute(...names: string[]): ExtensionGrant[] {
  return [{ to: "owner", on: "function", privileges: ["EXECUTE"], ...(names.length === 0 ? {} : { names }) }];
}

/** Lets the roles that query tables read those of an extension, in its schema. */
function readable(...objects: ("schema" | "table")[]): ExtensionGrant[] {
  const roles = ["owner", "app", "readonly"] as const;
  return objects.flatMap((on) => roles.map((to) => ({ to, on, privileges: [on === "schema" ? "USAGE" : "SELECT"] })));
}

const fdwUsage: readonly ExtensionGrant[] = [{ to: "owner", on: "foreign data wrapper", privileges: ["USAGE"] }];

/** The extensions of the image, including contrib, by name: see infra/images/postgres. */
export const extensionCatalog: Readonly<Record<string, ImageExtension>> = {
  address_standardizer: { purpose: "splits addresses into their parts", withPostgis: true },
  address_standardizer_data_us: {
    purpose: "data for address_standardizer: the United States",
    grants: readable("table"),
    withPostgis: true,
  },
  amcheck: {
    purpose: "checks tables and B-tree indexes for corruption",
    grants: execute("bt_index_check", "bt_index_parent_check", "verify_heapam"),
  },
  autoinc: { purpose: "trigger function that fills a column from a sequence" },
  bloom: { purpose: "index on many columns in any combination" },
  btree_gin: { purpose: "GIN indexes on plain types" },
  btree_gist: { purpose: "GiST indexes and exclusion constraints on plain types" },
  citext: { purpose: "text type that ignores case" },
  cube: { purpose: "type for points and boxes of many dimensions" },
  dblink: {
    purpose: "queries on other PostgreSQL servers",
    grants: fdwUsage,
    note: "A connection needs a password, or a user mapping with one.",
  },
  dict_int: { purpose: "text search dictionary for whole numbers" },
  dict_xsyn: { purpose: "text search dictionary for synonyms" },
  earthdistance: { purpose: "distances on the surface of the earth", note: "Needs cube, listed before it." },
  file_fdw: { purpose: "tables on files of the server", superuserOnly: "it reads any file that the server can read" },
  fuzzystrmatch: { purpose: "similar strings: soundex, Levenshtein, metaphone" },
  hstore: { purpose: "type for keys and values" },
  insert_username: { purpose: "trigger function that records the current role" },
  intagg: { purpose: "aggregate of integers, obsolete" },
  intarray: { purpose: "operators and indexes for arrays of integers" },
  isn: { purpose: "types for ISBN, ISSN, EAN and UPC" },
  lo: { purpose: "trigger function that deletes large objects" },
  ltree: { purpose: "type for paths in a tree" },
  moddatetime: { purpose: "trigger function that records the time of a change" },
  pageinspect: {
    purpose: "raw pages of tables and indexes",
    superuserOnly: "it shows raw pages, also of deleted rows",
  },
  pg_buffercache: {
    purpose: "contents of the shared buffers",
    superuserOnly: "it shows the buffers of all databases; members of pg_monitor can read it, too",
  },
  pg_cron: {
    purpose: "jobs on a schedule",
    grants: [{ to: "migrator", on: "schema", privileges: ["USAGE"] }],
    note: "Not needed for [jobs](#jobs) in `database.json`. For [jobs in migrations](#jobs-in-migrations), only in a stack's only database.",
    isPreloaded: true,
  },
  pg_freespacemap: { purpose: "free space in tables", grants: execute() },
  pg_partman: {
    purpose: "partitions by time or number, and their maintenance",
    grants: [
      { to: "owner", on: "schema", privileges: ["USAGE", "CREATE"] },
      { to: "owner", on: "table", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] },
    ],
    note: 'Give it a schema of its own: `{ "name": "pg_partman", "schema": "partman" }`.',
  },
  pg_prewarm: { purpose: "loads tables into the cache" },
  pg_stat_statements: {
    purpose: "statistics of statements",
    note: "The texts of other roles' statements are hidden. Only a superuser can reset the statistics.",
    isPreloaded: true,
  },
  pg_surgery: {
    purpose: "repair of damaged tables",
    superuserOnly: "it rewrites rows without any check and can damage a table",
  },
  pg_trgm: { purpose: "similar strings and fast LIKE, by trigrams" },
  pg_visibility: {
    purpose: "visibility map of tables",
    // Not pg_truncate_visibility_map, which changes the map.
    grants: execute(
      "pg_check_frozen",
      "pg_check_visible",
      "pg_visibility",
      "pg_visibility_map",
      "pg_visibility_map_summary",
    ),
    note: "Only a superuser can call pg_truncate_visibility_map.",
  },
  pg_walinspect: { purpose: "records of the WAL", superuserOnly: "it shows the changes of all databases" },
  pgaudit: {
    purpose: "audit log of statements",
    note: "Has nothing to call. Set `pgaudit.log` in the setting `postgresql`; only a superuser can change it in a session.",
    isPreloaded: true,
  },
  pgcrypto: { purpose: "hashes and encryption" },
  pgrowlocks: { purpose: "row locks of a table" },
  pgstattuple: { purpose: "dead rows and bloat of tables and indexes", grants: execute() },
  plpgsql: { purpose: "procedural language, in every database" },
  postgis: { purpose: "geometry and geography", withPostgis: true },
  postgis_raster: { purpose: "raster data", note: "Needs postgis, listed before it.", withPostgis: true },
  postgis_sfcgal: {
    purpose: "three-dimensional geometry",
    note: "Needs postgis, listed before it.",
    withPostgis: true,
  },
  postgis_tiger_geocoder: {
    purpose: "addresses of the United States to coordinates",
    grants: readable("schema", "table"),
    note: "Needs postgis and fuzzystrmatch, listed before it. Only a superuser can load its data.",
    withPostgis: true,
  },
  postgis_topology: {
    purpose: "topological geometry",
    grants: [
      { to: "owner", on: "table", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] },
      { to: "owner", on: "sequence", privileges: ["USAGE"] },
    ],
    note: "Needs postgis, listed before it.",
    withPostgis: true,
  },
  postgres_fdw: {
    purpose: "tables of other PostgreSQL servers",
    grants: fdwUsage,
    note: "A user mapping needs a password.",
  },
  refint: { purpose: "trigger functions for foreign keys, obsolete" },
  seg: { purpose: "type for intervals with a precision" },
  sslinfo: { purpose: "TLS of the current session" },
  tablefunc: { purpose: "crosstab and random rows" },
  tcn: { purpose: "trigger function that notifies of changes" },
  tsm_system_rows: { purpose: "TABLESAMPLE with a number of rows" },
  tsm_system_time: { purpose: "TABLESAMPLE with a time limit" },
  unaccent: { purpose: "removes accents from text" },
  "uuid-ossp": { purpose: "UUIDs of all versions" },
  vector: { purpose: "vectors and nearest neighbours (pgvector)" },
  xml2: { purpose: "XPath and XSLT, obsolete" },
};
