import { type Contents, type DatabaseObject, describeObject, type ObjectKind } from "./contents.ts";
import { takeoverWarnings } from "./takeover-warnings.ts";
import type { TakeoverWish } from "./takeover-wish.ts";

export interface TakeoverPlan {
  /** Objects that are opened to the roles. */
  opened: string[];
  /** Those of them that were open to everybody, and are no more. */
  closed: string[];
  /** What records migrations and was another role's, with that role. */
  handedOver: string[];
  /** What does all that. */
  statements: string[];
  /** What only a person can decide. */
  warnings: string[];
}

/** Words of GRANT for each kind; ROUTINE is a function or a procedure. */
const keywords: Record<ObjectKind, string> = { table: "TABLE", sequence: "SEQUENCE", function: "ROUTINE" };

const kinds = ["table", "sequence", "function"] as const;

const nothing: TakeoverPlan = { opened: [], closed: [], handedOver: [], statements: [], warnings: [] };

/**
 * What it takes that roles can work with what was in a database before the stack managed it, and nobody else can unasked. Default privileges hold for what is
 * made later, only; and privileges that are granted again at every run would open what a migration has narrowed. So it is done once, where the kit has not
 * worked before.
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

/** Statements on all objects of a kind at once. */
function onEach(objects: DatabaseObject[], statements: (what: string, kind: ObjectKind) => string[]): string[] {
  return kinds.flatMap((kind) => {
    const names = objects.filter((object) => object.kind === kind).map(({ name }) => name);
    return names.length === 0 ? [] : statements(`${keywords[kind]} ${names.join(", ")}`, kind);
  });
}
