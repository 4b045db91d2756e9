import type { Check } from "../check.ts";
import { fix, quoteLiteral } from "../fix.ts";
import { duration } from "../text.ts";

interface Row {
  gid: string;
  owner: string;
  database: string;
  seconds: number;
}

const query = `
  select gid, owner::text, database::text, extract(epoch from clock_timestamp() - prepared)::float8 as seconds
    from pg_prepared_xacts where clock_timestamp() - prepared >= make_interval(secs => $1)
   order by prepared`;

export const preparedTransaction: Check = {
  name: "prepared-transaction",
  title: "A prepared transaction was never finished",
  scope: "server",
  async find(observer, { preparedSeconds }) {
    const rows = await observer.query<Row>(query, [preparedSeconds]);
    const problems = rows.map(({ gid, owner, database, seconds }) => ({
      object: `${database}: ${gid}`,
      level: "error" as const,
      detail: `The transaction ${quoteLiteral(gid)} of role ${owner} in database ${database} was prepared ${duration(seconds)} ago. It keeps its locks also after a restart, and vacuum removes no row that was deleted since.`,
      hint: `If its transaction manager has committed it elsewhere, run instead: commit prepared ${quoteLiteral(gid)}`,
      fix: {
        ...fix([`rollback prepared ${quoteLiteral(gid)}`], "It takes no lock. The work of the transaction is lost."),
        database,
      },
    }));
    return { problems };
  },
};
