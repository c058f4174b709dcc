-- Roles for saasm's database, each with the least it needs. Run it as a superuser in saasm's own database, before the first
-- start or later; running it again changes nothing.
--
--   createdb saasm && psql -v ON_ERROR_STOP=1 -d saasm -f docs/database-roles.sql
--   psql -d saasm -c '\password saasm_owner' -c '\password saasm_app' -c '\password saasm_doctor'
--
-- saasm_owner   owns the tables and makes them: DATABASE_MIGRATION_URL, or once before a start: node dist/main.js migrate
-- saasm_app     reads and writes rows, makes nothing, and can only append to the audit: DATABASE_URL
-- saasm_doctor  reads: DATABASE_URL of `npm run doctor`

do $$
declare
  one name;
begin
  foreach one in array array['saasm_owner', 'saasm_app', 'saasm_doctor'] loop
    if not exists (select 1 from pg_roles where rolname = one) then
      execute format('create role %I login', one);
    end if;
  end loop;
  execute format('alter database %I owner to saasm_owner', current_database());
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to saasm_owner, saasm_app, saasm_doctor', current_database());
end
$$;

revoke create on schema public from public;
alter schema public owner to saasm_owner;
grant usage on schema public to saasm_app, saasm_doctor;

-- What the owner will make.
alter default privileges for role saasm_owner grant usage on schemas to saasm_app, saasm_doctor;
alter default privileges for role saasm_owner grant select on tables to saasm_app, saasm_doctor;
alter default privileges for role saasm_owner in schema public grant insert, update, delete on tables to saasm_app;

-- What is there already, when saasm ran with one role until now.
do $$
declare
  one record;
begin
  for one in
    select format('alter %s %s owner to saasm_owner', case relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass) as line
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'drizzle') and relkind in ('r', 'p', 'S')
      -- A sequence of a column goes with its table.
      and not exists (select 1 from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i') and relkind = 'S')
    union all
    select format('alter function %s owner to saasm_owner', p.oid::regprocedure)
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public'
    union all
    select 'alter schema drizzle owner to saasm_owner' from pg_namespace where nspname = 'drizzle'
  loop
    execute one.line;
  end loop;
  grant select, insert, update, delete on all tables in schema public to saasm_app;
  grant select on all tables in schema public to saasm_doctor;
  if exists (select 1 from pg_namespace where nspname = 'drizzle') then
    grant usage on schema drizzle to saasm_app, saasm_doctor;
    grant select on all tables in schema drizzle to saasm_app, saasm_doctor;
  end if;
  if to_regclass('public.audit') is not null then
    revoke update, delete, truncate on public.audit from saasm_app;
  end if;
end
$$;
