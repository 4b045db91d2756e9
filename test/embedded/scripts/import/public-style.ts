/** A SQLite database with what public ones have and PostgreSQL has not: mixed types, odd names, many date styles. */
export const publicStyle = `
  pragma foreign_keys = off;
  create table "Größen & Maße" (id integer primary key autoincrement, "Ärmel Länge" decimal(10,2) not null default 1.5,
    "naïve name" text collate nocase unique, größe varchar(5) default "M" check (größe in ('S', 'M', 'L', 'é')),
    flag boolean default 0 check (flag in (0, 1)), made_at datetime default current_timestamp, "select" integer default (1 + 2));
  insert into "Größen & Maße" values (1, 5, 'Zoë 世界 🌍', 'M', 1, '2024-02-29 23:59:59.123456', null),
    (2, 19.99, '', 'é', 0, '1999-12-31 00:00:00', -9223372036854775807 - 1), (7, -0.5, 'tab' || char(9) || 'nl' || char(10) || '\\N\\', null, null, null, 9223372036854775807);
  update sqlite_sequence set seq = 90;

  create table "order details" ("order id" integer not null references orders ("id") on delete cascade, "line no" integer not null, qty int check (qty > 0 and qty < 100000),
    price real, total real generated always as (qty * price) virtual, label text generated always as ('n' || qty) stored,
    primary key ("order id", "line no")) without rowid;
  create table orders (id integer primary key, customer text references customers (code) deferrable initially deferred, "a;b" text, best_line integer, placed date, shipped timestamp, seen datetime, epoch datetime, local date, at time,
    foreign key (id, best_line) references "order details" ("order id", "line no"));
  create table customers (code char(5) primary key, name text not null, parent text references customers on update set null, balance money, uid uuid, settings json);
  insert into customers values ('ALFKI', 'Ann', null, 3, '3b241101-e2bb-4255-8caf-4136c566a962', '{"b": 1.10,  "a": [1]}'), ('BONAP', 'Bön', 'ALFKI', 4.25, '3b241101-e2bb-4255-8caf-4136c566a963', '"x"');
  insert into orders values (1, 'ALFKI', 'x''y"z', 2, '2024-01-31', '2024-01-02T03:04:05+02:00', '2024-01-02 03:04:05', 1704164645, '31/01/2024', '12:30:45'),
    (2, 'BONAP', null, null, '0987-06-05', '2024-01-02 03:04:05Z', 1704164645000, 1704164646, '01/02/2024', '00:00:00'), (3, null, '', null, null, null, 1704164645, null, null, null);
  insert into "order details" ("order id", "line no", qty, price) values (1, 2, 3, 0.1), (1, 1, 10, 1e300), (2, 1, 1, -2.5e-310);

  create table mixed (qty integer, val, only_reals, money numeric, photo blob, "any" any);
  insert into mixed values (1, 'text', 1.5, 1, x'00ff', 9e999), ('many', 4, 4.0, 2.5, x'', -9e999), (4.5, 4.0, 1e-320, 1e20, null, x'0102'), (null, x'aabb', null, null, x'27', 'Infinity'), (1, 'text', 1.5, 1, x'00ff', null);

  create table nullable_key (code text primary key, note text); insert into nullable_key values (null, 'one'), (null, 'two'), ('x', 'three');
  create table dangling (id integer primary key, customer text references customers (code), gone integer references nowhere (id)); insert into dangling values (1, 'NOONE', 5), (2, 'ALFKI', null);
  create table "a name that is longer than sixty-three bytes, which PostgreSQL cuts off" (xmin integer primary key, "__proto__" text); insert into "a name that is longer than sixty-three bytes, which PostgreSQL cuts off" values (1, 'p');
  create table empty (id integer primary key, at datetime, note varchar(10) not null default 'a''b');
  create table bad_dates (id integer primary key, d date, n integer not null, j json, v varchar(2), t text default 5); insert into bad_dates values (1, '0000-00-00', 3, '{bad', 'long text', '5'), (2, '2024-01-01', 1704164645, '{}', 'ok', 't');
  create table "Case" (id integer primary key, word text, other text); insert into "Case" values (1, 'a', 'x'), (2, 'A', 'y');
  create unique index word_index on "Case" (word, other desc) where word <> 'q'; create index odd on "Case" (lower(word)); create index "odd name" on "Case" (other collate rtrim);
  create unique index some_expression on "Case" (word || other); create index guarded on "Case" (word) where word like 'a%';
  create table long_key (id text, unique (id)); insert into long_key values (hex(zeroblob(4000)));
  create virtual table search using fts5(title, body); insert into search values ('hello', 'wörld'), ('hello', 'wörld');
  create view totals as select count(*) from orders; create trigger touched after insert on orders begin select 1; end;`;
