-- The only way that audit rows go: those older than a given age, 30 days at least, as the owner of the table.
create or replace function purge_audit(older_than interval, at_most integer) returns integer
language sql security definer set search_path = public, pg_temp as $$
  with gone as (
    delete from audit where id in (
      select id from audit
      where at < now() - greatest(older_than, interval '30 days')
      order by id limit at_most)
    returning 1)
  select count(*)::integer from gone
$$;
