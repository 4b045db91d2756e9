--! Previous: sha1:82a5b3ae236cc701b6fa38444b82c7446a276253
--! Hash: sha1:4a61ec7755dda7b316240825aab54ff65bba21ba
--! Message: conversations

create table conversations (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  course_id uuid references courses (id) on delete set null,
  lesson_id uuid references lessons (id) on delete set null,
  title text not null default '',
  status text not null default 'open' check (status in ('open', 'archived')),
  last_position integer not null default 0 check (last_position >= 0),
  last_message_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint conversations_message_has_time check ((last_position = 0) = (last_message_at is null))
);
comment on table conversations is 'Talks of a learner with the assistant, perhaps about a lesson.';
comment on column conversations.last_position is 'Position of the newest message; kept by its trigger.';

create table messages (
  id uuid primary key default gen_random_uuid(),
  conversation_id uuid not null references conversations (id) on delete cascade,
  position integer not null check (position > 0),
  role text not null check (role in ('system', 'learner', 'assistant')),
  content text not null check (content <> '' and length(content) <= 50000),
  model text check (model <> ''),
  input_tokens integer check (input_tokens >= 0),
  output_tokens integer check (output_tokens >= 0),
  latency_ms integer check (latency_ms >= 0),
  rating smallint check (rating in (-1, 1)),
  created_at timestamptz not null default now(),
  unique (conversation_id, position),
  constraint messages_model_of_assistant check ((role = 'assistant') = (model is not null)),
  constraint messages_usage_of_assistant check (role = 'assistant' or num_nonnulls(input_tokens, output_tokens, latency_ms, rating) = 0)
);
comment on table messages is 'What was said in a conversation, in order. Words stay as they were said; only the rating may change.';
comment on column messages.position is 'Counts from 1 without gaps; given by trigger under the conversation''s row lock.';
comment on column messages.rating is 'The learner''s thumb: 1 up, -1 down.';

create index conversations_user_idx on conversations (user_id, last_message_at desc);
create index conversations_course_idx on conversations (course_id) where course_id is not null;
create index conversations_lesson_idx on conversations (lesson_id) where lesson_id is not null;
create index messages_rated_idx on messages (rating, created_at desc) where rating is not null;
create index messages_created_brin on messages using brin (created_at) with (autosummarize = on);

create trigger set_updated_at before update on conversations for each row execute function set_updated_at();

-- Messages are numbered, and stay as they were said.

create function number_message() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  conversation conversations%rowtype;
begin
  select * into conversation from conversations where id = new.conversation_id for no key update;
  new.position := coalesce(conversation.last_position, 0) + 1;
  -- A row that is there already leaves the conversation alone, so that INSERT ... ON CONFLICT DO NOTHING can be repeated.
  if not found or exists (select from messages where id = new.id) then
    return new;
  end if;
  if conversation.status = 'archived' and not in_maintenance(tg_relid) then
    raise exception 'conversation % is archived and takes no messages', conversation.id
      using errcode = 'check_violation', constraint = 'messages_conversation_open', table = 'messages';
  end if;
  update conversations set last_position = new.position, last_message_at = new.created_at where id = conversation.id;
  return new;
end
$$;
comment on function number_message() is 'Trigger: numbers a message under its conversation''s row lock.';

create function keep_message() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if (to_jsonb(new) - 'rating') <> (to_jsonb(old) - 'rating') and not in_maintenance(tg_relid) then
    raise exception 'message %: only its rating changes', old.id
      using errcode = 'check_violation', constraint = 'messages_stay', table = 'messages';
  end if;
  return new;
end
$$;
comment on function keep_message() is 'Trigger: what was said stays as it was said.';

create trigger number_message before insert on messages
  for each row execute function number_message();
create trigger keep_message before update on messages
  for each row execute function keep_message();

-- One message is not deleted out of a conversation; the conversation is, and takes them along.
select revoke_from_grantees('messages', array['DELETE', 'TRUNCATE']);
