import type { Check, Problem } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";

interface Row {
  table: string;
  trigger: string;
  /** Foreign key whose checks the trigger makes; null for a trigger of the user. */
  key: string | null;
}

const query = `
  select ${relationName} as table, format('%I', tgname) as trigger, (select format('%I', conname) from pg_constraint where oid = tgconstraint and tgisinternal) as key
    from pg_trigger t join pg_class c on c.oid = tgrelid join pg_namespace n on n.oid = c.relnamespace
   where ${isOwnRelation} and tgenabled = 'D'
   order by 1, 2`;

const events = "select format('%I', evtname) as name from pg_event_trigger where evtenabled = 'D' order by 1";

export const disabledTrigger: Check = {
  name: "disabled-trigger",
  title: "A trigger is disabled",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<Row>(query);
    const eventTriggers = await observer.query<{ name: string }>(events);
    const own = rows.filter(({ key }) => key === null).map(problemOf);
    const byKey = Map.groupBy(
      rows.filter(({ key }) => key !== null),
      ({ table, key }) => `${table}.${key}`,
    );
    const keys = [...byKey].map(([object, triggers]): Problem => {
      const table = triggers[0]?.table ?? "";
      const each = (verb: string) => triggers.map(({ trigger }) => `alter table ${table} ${verb} trigger ${trigger}`);
      return {
        object,
        level: "error",
        detail: `${table} does not check the foreign key ${triggers[0]?.key}: its triggers are disabled. Rows can refer to nothing.`,
        objects: [table],
        hint: "Enabling it checks no existing rows. Look for rows without a match first. It needs a superuser.",
        fix: fix(each("enable"), `SHARE ROW EXCLUSIVE on ${table}: blocks writes for a moment.`, each("disable")),
      };
    });
    const atEvents = eventTriggers.map(
      ({ name }): Problem => ({
        object: `event trigger ${name}`,
        level: "warning",
        detail: `The event trigger ${name} is disabled.`,
        fix: fix([`alter event trigger ${name} enable`], "It blocks no reads or writes.", [
          `alter event trigger ${name} disable`,
        ]),
      }),
    );
    return { problems: [...keys, ...own, ...atEvents] };
  },
};

function problemOf({ table, trigger }: Row): Problem {
  return {
    object: `${table}.${trigger}`,
    level: "warning",
    detail: `The trigger ${trigger} of ${table} is disabled.`,
    objects: [table],
    fix: fix(
      [`alter table ${table} enable trigger ${trigger}`],
      `SHARE ROW EXCLUSIVE on ${table}: blocks writes for a moment.`,
      [`alter table ${table} disable trigger ${trigger}`],
    ),
  };
}
