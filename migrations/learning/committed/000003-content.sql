--! Previous: sha1:6776411eac16cc08d595d536abeeb792f847b608
--! Hash: sha1:740ac63c1e91cbf0b544ebef11fed09a70c1d562
--! Message: content

create function search_configuration(language text) returns regconfig
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case language
    when 'de' then 'pg_catalog.german'::regconfig
    when 'en' then 'pg_catalog.english'::regconfig
    when 'es' then 'pg_catalog.spanish'::regconfig
    when 'fr' then 'pg_catalog.french'::regconfig
    else 'pg_catalog.simple'::regconfig end
$$;
comment on function search_configuration(text) is
  'Text search configuration for content in a language. Immutable, since stored search vectors are made with it.';

create table topics (
  id uuid primary key default gen_random_uuid(),
  parent_id uuid references topics (id),
  slug text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  name text not null check (name <> ''),
  description text not null default '',
  position integer not null default 0 check (position >= 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint topics_not_own_parent check (parent_id <> id)
);
comment on table topics is 'What can be learned, as a tree: subjects, and topics in them. Mastery is measured by topic.';

create table courses (
  id uuid primary key default gen_random_uuid(),
  legacy_id text check (legacy_id <> ''),
  slug text not null check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  topic_id uuid not null references topics (id),
  author_id uuid references users (id) on delete set null,
  title text not null check (title <> ''),
  summary text not null default '',
  description text not null default '' check (length(description) <= 20000),
  level text not null default 'beginner' check (level in ('beginner', 'intermediate', 'advanced')),
  language text not null default 'en' check (language ~ '^[a-z]{2}$'),
  tags text[] not null default '{}',
  estimated_minutes integer check (estimated_minutes > 0),
  status text not null default 'draft' check (status in ('draft', 'published', 'archived')),
  published_at timestamptz,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  search tsvector generated always as (
    setweight(to_tsvector(search_configuration(language), title), 'A')
    || setweight(to_tsvector(search_configuration(language), summary), 'B')
    || setweight(to_tsvector(search_configuration(language), description), 'C')) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint courses_deleted_after_creation check (deleted_at >= created_at),
  constraint courses_published_has_time check (status = 'draft' or published_at is not null),
  constraint courses_deleted_is_archived check (deleted_at is null or status = 'archived')
);
comment on table courses is 'Courses that learners enrol in.';
comment on column courses.author_id is 'Null for content of the house, and once its author is erased.';
comment on column courses.search is 'Title, summary and description as words of the course''s language, weighted A to C.';

create table lessons (
  id uuid primary key default gen_random_uuid(),
  legacy_id text check (legacy_id <> ''),
  course_id uuid not null references courses (id) on delete cascade,
  topic_id uuid not null references topics (id),
  slug text not null check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  section text not null default '',
  position integer not null check (position > 0),
  title text not null check (title <> ''),
  kind text not null default 'reading' check (kind in ('reading', 'video', 'exercise', 'interactive')),
  language text not null default 'en' check (language ~ '^[a-z]{2}$'),
  body text not null default '' check (length(body) <= 100000),
  media_url text check (media_url ~ '^https://'),
  estimated_minutes integer not null default 10 check (estimated_minutes > 0),
  is_required boolean not null default true,
  status text not null default 'draft' check (status in ('draft', 'published', 'archived')),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  search tsvector generated always as (
    setweight(to_tsvector(search_configuration(language), title), 'A')
    || setweight(to_tsvector(search_configuration(language), section), 'B')
    || setweight(to_tsvector(search_configuration(language), body), 'D')) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (course_id, slug),
  unique (course_id, position),
  unique (id, course_id),
  constraint lessons_video_has_media check (kind <> 'video' or media_url is not null)
);
comment on table lessons is 'The content of courses, in order.';
comment on column lessons.position is 'Given in steps of 10, so that a lesson moves between two others by one update.';
comment on column lessons.is_required is 'Counts for the progress of an enrolment while published.';

create unique index courses_legacy_id_key on courses (legacy_id) where legacy_id is not null;
create unique index lessons_legacy_id_key on lessons (legacy_id) where legacy_id is not null;

create index topics_parent_idx on topics (parent_id, position);
create unique index courses_slug_key on courses (slug) where deleted_at is null;
create index courses_topic_idx on courses (topic_id);
create index courses_author_idx on courses (author_id);
create index courses_newest_idx on courses (published_at desc) where status = 'published' and deleted_at is null;
create index courses_tags_idx on courses using gin (tags);
create index lessons_topic_idx on lessons (topic_id);

-- Search: words of what is published, and titles that are written nearly so.
create index courses_search_idx on courses using gin (search) where status = 'published' and deleted_at is null;
create index lessons_search_idx on lessons using gin (search) where status = 'published';
create index courses_title_trgm_idx on courses using gin (title gin_trgm_ops);
create index lessons_title_trgm_idx on lessons using gin (title gin_trgm_ops);

create trigger set_updated_at before update on topics for each row execute function set_updated_at();
create trigger set_updated_at before update on courses for each row execute function set_updated_at();
create trigger set_updated_at before update on lessons for each row execute function set_updated_at();

-- The tree of topics has no loop.

create function check_topic_tree() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  -- One at a time: of two moves at once, neither sees that the other closes a loop.
  perform pg_advisory_xact_lock(tg_relid::bigint);
  if exists (
    with recursive ancestor (id, parent_id) as (
      select topics.id, topics.parent_id from topics where topics.id = new.parent_id
      union
      select topics.id, topics.parent_id from topics join ancestor on topics.id = ancestor.parent_id
    )
    select from ancestor where ancestor.id = new.id
  ) then
    raise exception 'topic % would be above itself', new.slug
      using errcode = 'check_violation', constraint = 'topics_no_loop', table = 'topics';
  end if;
  return null;
end
$$;
comment on function check_topic_tree() is 'Trigger: no topic is its own ancestor.';

create trigger check_topic_tree after insert or update of parent_id on topics
  for each row when (new.parent_id is not null) execute function check_topic_tree();
