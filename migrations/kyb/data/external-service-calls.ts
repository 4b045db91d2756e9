import type { Insertable, Kysely, Selectable } from "kysely";
import { found, read } from "pgroundwork";
import { containing, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { DB, ExternalServiceCalls } from "../types.ts";

export type ServiceCall = Selectable<ExternalServiceCalls>;

const order = { by: "called_at", id: "id", direction: "desc" } as const;

/** Records a call of an external service. Nothing is changed or deleted. */
export function recordServiceCall(db: Kysely<DB>, row: Insertable<ExternalServiceCalls>): Promise<ServiceCall> {
  return read(() => db.insertInto("external_service_calls").values(row).returningAll().executeTakeFirstOrThrow());
}

/** Returns a call. */
export async function readServiceCall(db: Kysely<DB>, id: string): Promise<ServiceCall> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "call", id);
}

/** Lists calls of external services, the newest first. */
export function listServiceCalls(db: Kysely<DB>, filter: { service?: string } = {}, page: PageRequest = {}) {
  const query = filter.service === undefined ? rows(db) : rows(db).where("service", "=", filter.service);
  return read(() => pageOf(query, order, page));
}

/** Finds calls of external services by a part of the name of service or operation. */
export function searchServiceCalls(db: Kysely<DB>, text: string, page: PageRequest = {}) {
  const pattern = containing(text);
  return read(() =>
    pageOf(
      rows(db).where((eb) => eb.or([eb("service", "ilike", pattern), eb("operation", "ilike", pattern)])),
      order,
      page,
    ),
  );
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("external_service_calls").selectAll();
}
