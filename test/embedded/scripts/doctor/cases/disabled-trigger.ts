import type { CheckCase } from "../check-case.ts";

const table = [
  "create table item (id int primary key, parent int)",
  "alter table item add constraint to_parent foreign key (parent) references item",
  "create function act() returns trigger language plpgsql as 'begin return new; end'",
  "create trigger stamp before insert on item for each row execute function act()",
];

export const cases: CheckCase = {
  faults: [
    {
      title: "a disabled trigger",
      setup: [...table, "alter table item disable trigger stamp"],
      finds: ["shop.item.stamp"],
    },
    {
      title: "all triggers disabled, with the checks of a foreign key",
      setup: [...table, "alter table item disable trigger all"],
      finds: ["shop.item.stamp", "shop.item.to_parent"],
    },
    {
      title: "a disabled event trigger",
      setup: [
        "create function report() returns event_trigger language plpgsql as 'begin end'",
        "create event trigger watch on ddl_command_end execute function report()",
        "alter event trigger watch disable",
      ],
      finds: ["event trigger watch"],
    },
  ],
  nearMisses: [
    {
      title: "a trigger that also runs for replicated rows",
      setup: [...table, "alter table item enable always trigger stamp"],
    },
    { title: "a trigger for replicated rows only", setup: [...table, "alter table item enable replica trigger stamp"] },
  ],
};
