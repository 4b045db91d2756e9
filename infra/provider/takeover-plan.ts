import { type Contents, type DatabaseObject, describeObject, type ObjectKind } from "./contents.ts";
import { takeoverWarnings } from "./takeover-warnings.ts";
import type { TakeoverWish } from "./takeover-wish.ts";

export interface TakeoverPlan {
  /** Objects that are opened to the roles. */
  opened: string[];
  /** Opened objects that PUBLIC could use, and no longer can. */
  closed: string[];
  /** Objects that record migrations and belonged to another role, with that role. */
  handedOver: string[];
  /** Statements that adopt the objects. */
  statements: string[];
  /** Decisions that are left to the user. */
  warnings: string[];
}

/** Keywords of GRANT for each kind. ROUTINE is a function or a procedure. */
const keywords: Record<ObjectKind, string> = { table: "TABLE", sequence: "SEQUENCE", function: "ROUTINE" };

const kinds = ["table", "sequence", "function"] as const;

const nothing: TakeoverPlan = { opened: [], closed: [], handedOver: [], statements: [], warnings: [] };

/**
 * Plans the grants that adopt existing objects, once. The stack's roles can then use objects that were in a database
 * before the stack managed it, and PUBLIC cannot. Default privileges cover only objects created later. Grants repeated
 * at every run would restore privileges that a migration has revoked. So nothing is planned if the kit has worked in
 * the database before.
 *
 * @param quote quotes an identifier
 */
export function planTakeover(contents: Contents, wish: TakeoverWish, quote: (name: string) => string): TakeoverPlan {
  if (contents.managed) return nothing;
  const here = contents.objects.filter(({ kind, schema }) => kind !== "schema" && schema === wish.schema);
  const closed = here.filter(({ isPublic }) => isPublic);
  const foreign = contents.bookkeeping.filter(({ owner, attached }) => owner !== wish.owner && !attached);
  return {
    opened: here.map(describeObject),
    closed: closed.map(describeObject),
    handedOver: foreign.map((object) => `${describeObject(object)} (${object.owner}'s)`),
    statements: [
      ...onEach(closed, (what) => [`REVOKE ALL ON ${what} FROM PUBLIC`]),
      ...onEach(here, (what, kind) =>
        Object.entries(wish.privileges[kind]).map(
          ([role, privileges]) => `GRANT ${privileges} ON ${what} TO ${quote(role)}`,
        ),
      ),
      ...foreign.map(({ type, name }) => `ALTER ${type} ${name} OWNER TO ${quote(wish.owner)}`),
    ],
    warnings: takeoverWarnings(contents, wish, quote),
  };
}

/** Builds statements on all objects of each kind at once. */
function onEach(objects: DatabaseObject[], statements: (what: string, kind: ObjectKind) => string[]): string[] {
  return kinds.flatMap((kind) => {
    const names = objects.filter((object) => object.kind === kind).map(({ name }) => name);
    return names.length === 0 ? [] : statements(`${keywords[kind]} ${names.join(", ")}`, kind);
  });
}
