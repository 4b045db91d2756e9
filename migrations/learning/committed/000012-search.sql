--! Previous: sha1:7c0885020e9414ecd5dcc25c6d35a9d2a3cd3065
--! Hash: sha1:35ddc7407df5372fd24135978e337b8002ffc956
--! Message: search

create function search_content(query text, content_language text default 'en', max_results integer default 20)
  returns table (kind text, id uuid, course_id uuid, title text, excerpt text, rank real)
  language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
as $$
  with asked as (
    select search_configuration(content_language) as configuration, websearch_to_tsquery(search_configuration(content_language), query) as words
  ), found as (
    select 'course' as kind, courses.id, courses.id as course_id, courses.title, courses.summary as body,
      ts_rank_cd(courses.search, asked.words) as rank
    from asked
    join courses on courses.search @@ asked.words
    where courses.status = 'published' and courses.deleted_at is null and courses.language = content_language
    union all
    select 'lesson', lessons.id, lessons.course_id, lessons.title, lessons.body, ts_rank_cd(lessons.search, asked.words)
    from asked
    join lessons on lessons.search @@ asked.words
    where lessons.status = 'published' and lessons.language = content_language
      and exists (select from courses where courses.id = lessons.course_id and courses.status = 'published' and courses.deleted_at is null)
  ), best as (
    select * from found order by found.rank desc, found.title, found.id limit max_results
  )
  select best.kind, best.id, best.course_id, best.title, ts_headline(asked.configuration, best.body, asked.words, 'MaxWords=20, MinWords=8'),
    best.rank
  from best cross join asked
  order by best.rank desc, best.title, best.id
$$;
comment on function search_content(text, text, integer) is
  'Published courses and lessons that match a query as search engines take it (words, "phrases", or, -not), the best first.';
