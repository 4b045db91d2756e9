import { NotKnown } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";

/** Connections of the whole server. */
export interface ConnectionValues {
  total: number;
  /** Connections that an ordinary role can open: without those that are reserved. */
  maximum: number;
  percent: number;
}

export const connections: Collector<ConnectionValues> = {
  name: "connections",
  needs: "any role",
  async collect(observer) {
    const [row] = await observer.query<ConnectionValues>(
      `select total, maximum, 100.0::float8 * total / maximum as percent
         from (select sum(numbackends)::float8 as total from pg_stat_database) used,
              (select current_setting('max_connections')::float8 - current_setting('superuser_reserved_connections')::float8
                      - coalesce(current_setting('reserved_connections', true), '0')::float8 as maximum) possible`,
    );
    if (row === undefined) throw new NotKnown("the server returned no row");
    return row;
  },
};
