/** Extensions in the image, including contrib: see infra/images/postgres. */
const always =
  "amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache pg_cron pg_freespacemap pg_partman pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgaudit pgcrypto pgrowlocks pgstattuple plpgsql postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp vector xml2".split(
    " ",
  );

/** Extensions that come with PostGIS. */
const withPostgis =
  "address_standardizer address_standardizer_data_us postgis postgis_raster postgis_sfcgal postgis_tiger_geocoder postgis_topology".split(
    " ",
  );

/** Extensions with a library that the server must load at its start. */
const preloaded = ["pg_cron", "pg_stat_statements", "pgaudit"];

/** Returns the extensions that a server of the kit's image can have. */
export function imageExtensions(postgis: boolean): ReadonlySet<string> {
  return new Set(postgis ? [...always, ...withPostgis] : always);
}

/**
 * Returns `shared_preload_libraries` for databases with these extensions. It always includes pg_stat_statements, which
 * monitoring reads.
 */
export function preloadLibraries(extensions: readonly string[]): string {
  return preloaded.filter((name) => name === "pg_stat_statements" || extensions.includes(name)).join(",");
}
