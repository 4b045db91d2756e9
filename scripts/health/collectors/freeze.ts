import { NotKnown } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";

/** Age of the oldest transaction id of all databases. */
export interface FreezeValues {
  database: string;
  age: number;
  /** Age at which autovacuum freezes it. */
  autovacuumAge: number;
}

export const freeze: Collector<FreezeValues> = {
  name: "freeze",
  needs: "any role",
  async collect(observer) {
    const [row] = await observer.query<FreezeValues>(
      `select datname::text as database, greatest(age(datfrozenxid), mxid_age(datminmxid))::float8 as age,
              current_setting('autovacuum_freeze_max_age')::float8 as "autovacuumAge"
         from pg_database order by 2 desc limit 1`,
    );
    if (row === undefined) throw new NotKnown("the server shows no databases");
    return row;
  },
};
