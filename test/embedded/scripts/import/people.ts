import type { ImportMap } from "../../../../scripts/import/map.ts";

/** People with a unique email, their things, and notes that no import writes. */
export const people = `create table person (id text primary key, email text unique, boss text references person, born float8);
  create table thing (id text primary key, person text references person, name text);
  create table note (person text references person on delete cascade);
  insert into person (id, email) values ('early', 'early@x'), ('own', 'own@x');
  insert into thing values ('own thing', 'own', 'own')`;
/** Map of documents to both tables. */
export const peopleMap: ImportMap = {
  existing: "merge",
  tables: [
    { to: "person", from: "people", columns: { id: "id", email: "email", boss: "boss", born: "born" } },
    { to: "thing", from: "people", each: "things", columns: { id: "$value", person: "$parent.id", name: "$value" } },
  ],
};
/** The same map, which deletes what the source no longer has. */
export const deleting: ImportMap = { ...peopleMap, missing: "delete" };
/** A document of the source. */
export const person = (id: string, ...things: string[]) => ({ id, email: `${id}@x`, boss: null, born: null, things });
/** Documents that no test takes out of the source. */
export const stay = ["s1", "s2", "s3", "s4", "s5"].map((id) => person(id, `${id} thing`));
/** SQL of all people with their things. */
export const contentsOfPeople =
  "select p.*, array(select t.id || t.name from thing t where t.person = p.id order by 1) as things from person p order by id";
