import type { Client } from "pg";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { cacheChannel, cachedTableName, cacheTrigger } from "../../model/cache-changes.ts";
import { requireMessage } from "../graphile-migrate-authoring.ts";
import { readDraft, requireBlank, writeDraft } from "./draft.ts";

/** A migration that was written to the draft, and its tables. */
export interface CacheTriggersDraft {
  path: string;
  tables: string[];
  /** Tables that have the triggers already. They are not part of the migration. */
  present: string[];
}

interface Found {
  name: string;
  relkind: string | null;
  triggers: boolean;
  /** The function of the triggers exists. */
  known: boolean;
}

const query = `
  select wanted.name, relkind,
    exists (select from pg_catalog.pg_trigger where tgrelid = pg_class.oid and tgname = $2) as triggers,
    pg_catalog.to_regprocedure('public.' || $2 || '()') is not null as known
  from pg_catalog.unnest($1::text[]) with ordinality as wanted(name, position)
  left join pg_catalog.pg_class on pg_class.oid = pg_catalog.to_regclass(wanted.name)
  order by position`;

/**
 * Writes the draft of a migration whose triggers report changes of tables to result caches, and its down migration.
 *
 * @param client session in the migrated database
 * @param names tables, in `public` if no schema is given
 * @throws OperationError if one is not a table, or if a migration is being written already
 */
export async function draftCacheTriggers(
  client: Client,
  folder: string,
  names: readonly string[],
): Promise<CacheTriggersDraft> {
  const { rows } = await client.query<Found>(query, [[...new Set(names.map(fullName))], cacheTrigger]);
  const wrong = rows.filter(({ relkind }) => relkind !== "r" && relkind !== "p");
  if (wrong.length > 0)
    throw new OperationError(
      `These are not tables: ${wrong.map(({ name, relkind }) => `${name} (${relkind === null ? "does not exist" : "a view or another relation"})`).join(", ")}.`,
      { hint: "Name the tables that a view reads from.", exitCode: exitCode.usage },
    );
  const present = rows.filter(({ triggers }) => triggers).map(({ name }) => name);
  const missing = rows.filter(({ triggers }) => !triggers);
  const tables = missing.map(({ name }) => name);
  const draft = await readDraft(folder);
  if (tables.length === 0) return { path: draft.current.path, tables, present };
  requireBlank(draft);
  const message = `report changes of ${tables.map((each) => each.replace(/^public\./, "")).join(", ")} to caches`;
  requireMessage(message);
  const known = rows[0]?.known ?? false;
  const up = [...(known ? [] : [createFunction]), ...missing.map(createTriggers)];
  const down = [...missing.map(dropTriggers), ...(known ? [] : [`drop function ${cacheTrigger}();`])];
  await writeDraft(folder, { Message: message }, `${up.join("\n\n")}\n`, `${down.join("\n")}\n`);
  return { path: draft.current.path, tables, present };
}

function fullName(name: string): string {
  const full = cachedTableName(name);
  if (full !== undefined) return full;
  throw new OperationError(`"${name}" is not the name of a table that needs no quotes.`, { exitCode: exitCode.usage });
}

const createFunction = `create function ${cacheTrigger}() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('${cacheChannel}', tg_argv[0]);
  return null;
end
$$;
comment on function ${cacheTrigger}() is 'Trigger: reports the change of a table to result caches when the transaction commits.';`;

/**
 * Statements on a partition fire only triggers for each row, which partitions have from their table. The server sends
 * equal notifications of a transaction once.
 */
function createTriggers({ name, relkind }: Found): string {
  const call = `execute function ${cacheTrigger}('${name}');`;
  if (relkind === "r")
    return `create trigger ${cacheTrigger} after insert or update or delete or truncate on ${name}\n  for each statement ${call}`;
  return [
    `create trigger ${cacheTrigger} after insert or update or delete on ${name}\n  for each row ${call}`,
    `create trigger ${cacheTrigger}_truncate after truncate on ${name}\n  for each statement ${call}`,
  ].join("\n");
}

function dropTriggers({ name, relkind }: Found): string {
  const second = relkind === "p" ? `drop trigger ${cacheTrigger}_truncate on ${name};\n` : "";
  return `${second}drop trigger ${cacheTrigger} on ${name};`;
}
