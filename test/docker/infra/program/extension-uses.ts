/** A use of an extension: statements as the migrator, and the only value that the last of them returns. */
export interface ExtensionUse {
  sql: string;
  value: string;
}

/** Connection string of dblink and options of a foreign server, for the server itself. `PASSWORD` is the app's. */
const loopback = "host '127.0.0.1', dbname 'shop'";

/** Uses of each extension that migrations can use. They run in a transaction that is rolled back. */
export const extensionUses: Readonly<Record<string, ExtensionUse>> = {
  address_standardizer: {
    sql: "select (parse_address('123 Main Street, Kansas City, MO 45678')).num",
    value: "123",
  },
  address_standardizer_data_us: {
    sql: "select house_num from standardize_address('us_lex', 'us_gaz', 'us_rules', '123 Main Street', 'Kansas City, MO')",
    value: "123",
  },
  amcheck: {
    sql: "select bt_index_check('product_pkey'); select bt_index_parent_check('product_pkey'); select count(*) from verify_heapam('product')",
    value: "0",
  },
  autoinc: {
    sql: `create sequence numbers start 7; create table filled (id integer, name text);
      create trigger fill before insert on filled for each row execute function autoinc(id, numbers);
      insert into filled (name) values ('tea') returning id`,
    value: "7",
  },
  bloom: {
    sql: "create index p on product using bloom (id); select amname from pg_class c join pg_am a on a.oid = relam where relname = 'p'",
    value: "bloom",
  },
  btree_gin: {
    sql: "create index p on product using gin (id); select amname from pg_class c join pg_am a on a.oid = relam where relname = 'p'",
    value: "gin",
  },
  btree_gist: {
    sql: "alter table product add constraint p exclude using gist (id with =); select contype from pg_constraint where conname = 'p'",
    value: "x",
  },
  citext: { sql: "select 'Tea'::citext = 'tea'", value: "true" },
  cube: { sql: "select cube_distance('(1,2)', '(1,3)')", value: "1" },
  dblink: {
    sql: `create server d foreign data wrapper dblink_fdw options (${loopback});
      create user mapping for current_user server d options (user 'shop_app', password 'PASSWORD');
      select name from dblink('d', 'select name from product where id = 1') as there (name text)`,
    value: "tea",
  },
  dict_int: { sql: "select ts_lexize('intdict', '12345678')", value: "123456" },
  dict_xsyn: {
    sql: "create text search dictionary d (template = xsyn_template); select count(*) from pg_ts_dict where dictname = 'd'",
    value: "1",
  },
  earthdistance: { sql: "select earth_distance(ll_to_earth(0, 0), ll_to_earth(0, 0))", value: "0" },
  fuzzystrmatch: { sql: "select soundex('hello')", value: "H400" },
  hstore: { sql: "select extensions.fetchval('a=>1'::extensions.hstore, 'a')", value: "1" },
  insert_username: {
    sql: `create table filled (name text, by_whom text);
      create trigger fill before insert on filled for each row execute function insert_username(by_whom);
      insert into filled (name) values ('tea') returning by_whom`,
    value: "shop_owner",
  },
  intagg: { sql: "select int_array_aggregate(n) from generate_series(1, 2) n", value: "1,2" },
  intarray: { sql: "select sort(array[2, 1])", value: "1,2" },
  isn: { sql: "select isbn('978-0-393-04002-9')", value: "0-393-04002-X" },
  lo: {
    sql: `create table filled (raster lo);
      create trigger t before update or delete on filled for each row execute function lo_manage(raster);
      insert into filled values (lo_create(424242)); delete from filled;
      select count(*) from pg_largeobject_metadata where oid = 424242`,
    value: "0",
  },
  ltree: { sql: "select 'top.science'::ltree <@ 'top'", value: "true" },
  moddatetime: {
    sql: `create table filled (name text, changed timestamptz);
      create trigger t before update on filled for each row execute function moddatetime(changed);
      insert into filled values ('tea'); update filled set name = 'coffee' returning changed = now()`,
    value: "true",
  },
  pg_cron: {
    sql: "set local role none; select cron.schedule('tidy', '@monthly', 'select 1'); select cron.unschedule('tidy')",
    value: "true",
  },
  pg_freespacemap: { sql: "select count(*) from pg_freespace('product')", value: "1" },
  pg_partman: {
    sql: `create table visit (id bigint not null, at timestamptz not null) partition by range (at);
      select partman.create_parent('public.visit', 'at', '1 day', p_premake := 2);
      insert into visit values (1, now());
      update partman.part_config set premake = 3 where parent_table = 'public.visit';
      select partman.run_maintenance('public.visit');
      select count(*) from pg_inherits where inhparent = 'visit'::regclass`,
    // Today, 2 days before it, 3 days after it, and the default partition. Without maintenance, 2 days are after it.
    value: "7",
  },
  pg_prewarm: { sql: "select pg_prewarm('product') > 0", value: "true" },
  pg_stat_statements: {
    sql: "select count(*) > 0 from pg_stat_statements where query <> '<insufficient privilege>'",
    value: "true",
  },
  pg_trgm: { sql: "select similarity('tea', 'tea')", value: "1" },
  pg_visibility: {
    sql: "select count(*) from pg_visibility('product'); select count(*) from pg_check_visible('product'); select count(*) from pg_visibility_map_summary('product')",
    value: "1",
  },
  pgcrypto: { sql: "select length(digest('tea', 'sha256'))", value: "32" },
  pgrowlocks: { sql: "select count(*) from pgrowlocks('product')", value: "0" },
  pgstattuple: { sql: "select tuple_count from pgstattuple('product')", value: "2" },
  plpgsql: { sql: "do $$ begin perform 1; end $$; select 'done'", value: "done" },
  postgis: { sql: "select st_astext(st_centroid('LINESTRING(0 0, 2 2)'))", value: "POINT(1 1)" },
  postgis_raster: { sql: "select st_width(st_makeemptyraster(10, 10, 0, 0, 1))", value: "10" },
  postgis_sfcgal: { sql: "select postgis_sfcgal_version() is not null", value: "true" },
  postgis_tiger_geocoder: {
    sql: "select (tiger.normalize_address('1 Devonshire Place, Boston, MA 02109')).address",
    value: "1",
  },
  postgis_topology: {
    sql: "select topology.createtopology('rooms', 4326); select topology.addnode('rooms', 'SRID=4326;POINT(1 1)')",
    value: "1",
  },
  postgres_fdw: {
    sql: `create server f foreign data wrapper postgres_fdw options (${loopback});
      create user mapping for current_user server f options (user 'shop_app', password 'PASSWORD');
      create schema there; import foreign schema public limit to (product) from server f into there;
      select name from there.product where id = 1`,
    value: "tea",
  },
  refint: {
    sql: `create trigger t before insert on customer_order for each row
        execute function check_primary_key('product_id', 'product', 'id');
      insert into customer_order (product_id, amount) values (1, 1) returning amount`,
    value: "1",
  },
  seg: { sql: "select '1 .. 2'::seg @> '1.5'::seg", value: "true" },
  sslinfo: { sql: "select ssl_is_used()", value: "true" },
  tablefunc: { sql: "select count(*) from normal_rand(3, 0, 1)", value: "3" },
  tcn: {
    sql: `create trigger t after insert on product for each row execute function triggered_change_notification();
      insert into product values (3, 'mate', 1) returning name`,
    value: "mate",
  },
  tsm_system_rows: { sql: "select count(*) from product tablesample system_rows(1)", value: "1" },
  tsm_system_time: { sql: "select count(*) from product tablesample system_time(1000)", value: "2" },
  unaccent: { sql: "select unaccent('thé')", value: "the" },
  "uuid-ossp": { sql: "select uuid_generate_v5(uuid_ns_dns(), 'example.org') is not null", value: "true" },
  vector: { sql: "select '[1,2,3]'::vector <-> '[1,2,4]'", value: "1" },
  xml2: { sql: "select xpath_string('<a>b</a>', '/a')", value: "b" },
};

/** Uses that need a superuser. */
export const superuserUses: Readonly<Record<string, string>> = {
  file_fdw: "create server f foreign data wrapper file_fdw",
  pageinspect: "select get_raw_page('product', 0)",
  pg_buffercache: "select count(*) from pg_buffercache",
  pg_surgery: "select heap_force_freeze('product', array['(0,1)'::tid])",
  pg_walinspect: "select pg_get_wal_record_info(redo_lsn) from pg_control_checkpoint()",
};
