import type { Collector } from "../collector.ts";

/** Sizes in bytes. */
export interface SizeValues {
  /** Size of each database. */
  databases: Record<string, number>;
  total: number;
  /** Databases whose size the role may not read. */
  hidden: string[];
}

interface Row {
  name: string;
  isReadable: boolean;
  bytes: number | null;
}

export const sizes: Collector<SizeValues> = {
  name: "sizes",
  needs: "CONNECT or pg_read_all_stats",
  async collect(observer) {
    const rows = await observer.query<Row>(
      `select datname::text as name, is_readable as "isReadable", case when is_readable then pg_database_size(oid)::float8 end as bytes
         from pg_database, lateral (select has_database_privilege(oid, 'connect') or pg_has_role(current_user, 'pg_read_all_stats', 'usage') as is_readable) may
        order by 1`,
    );
    const readable = rows.flatMap(({ name, bytes }) => (bytes === null ? [] : [[name, bytes] as const]));
    return {
      databases: Object.fromEntries(readable),
      total: readable.reduce((sum, [, bytes]) => sum + bytes, 0),
      hidden: rows.filter(({ isReadable }) => !isReadable).map(({ name }) => name),
    };
  },
};
