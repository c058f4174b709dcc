-- What must be true of any saasm database: each query returns nothing when all is well, and rows that say what is wrong.
-- A query is preceded by two comments: `-- wrong: …` (what it means) and `-- do: …` (what helps).

-- wrong: a change was told twice to the same place
-- do: look at both rows; the unique index outbox_once must exist
select instance_id, transition_seq, medium, destination, count(*) from outbox
where instance_id is not null group by 1, 2, 3, 4 having count(*) > 1;

-- wrong: a telling counts as sent, and nothing says when
-- do: look for it in Slack or with the mail service; update outbox set state = 'pending' sends it again
select id, medium, destination from outbox where state = 'sent' and sent_at is null;

-- wrong: a telling is done with, and somebody still holds it
-- do: report it; a worker wrote past its claim
select id, state, lease_owner from outbox where state in ('pending', 'sent', 'parked') and (lease_until is not null or lease_owner is not null);

-- wrong: a telling waits long past its time, and nobody takes it
-- do: start a process with SAASM_ROLES=work
select o.id, o.medium, o.destination, o.due_at from outbox o
where o.state = 'pending' and o.due_at < now() - interval '1 hour'
  and not exists (select 1 from outbox p where p.incident_id = o.incident_id and p.transition_seq < o.transition_seq
    and p.destination = o.destination and p.state in ('pending', 'sending'));

-- wrong: a telling was begun and never settled, long after its lease
-- do: start a process with SAASM_ROLES=work; it takes the row over
select id, medium, destination, lease_until from outbox
where state = 'sending' and lease_until < now() - interval '2 minutes';

-- wrong: a run counts as running although its worker is gone
-- do: start a process with SAASM_ROLES=work; it takes the run over
select id, instance_id, lease_owner, lease_until from sync_run
where state = 'running' and lease_until < now() - interval '2 minutes';

-- wrong: a removal of users was begun and does not go on
-- do: start a process with SAASM_ROLES=work; it takes the removal over
select id, instance_id, lease_owner, lease_until from removal
where state = 'running' and lease_until < now() - interval '2 minutes';

-- wrong: a removal of users has been begun ten times in a row and more, and removed nobody
-- do: look for its id in the log; its instance is not synced until it has ended
select id, instance_id, attempt, removed, total from removal where state <> 'done' and attempt >= 10;

-- wrong: a run waits long past its time, and nobody takes it
-- do: start a process with SAASM_ROLES=work
select r.id, r.instance_id, r.due_at from sync_run r
where r.state = 'requested' and r.due_at < now() - interval '1 hour'
  and not exists (select 1 from sync_run o where o.instance_id = r.instance_id and o.state = 'running')
  and not exists (select 1 from removal m where m.instance_id = r.instance_id and m.state in ('requested', 'running'));

-- wrong: a run or a removal is done with, and somebody still holds it
-- do: report it; a worker wrote past its claim
select id, state, lease_owner from sync_run where state <> 'running' and (lease_until is not null or lease_owner is not null)
union all
select id, state, lease_owner from removal where state <> 'running' and (lease_until is not null or lease_owner is not null);

-- wrong: a removal ended and was not told
-- do: tell the one who asked for it (requested_by) what was removed
select id, instance_id, requested_by, removed from removal where state = 'done' and not announced;

-- wrong: two runs of one instance are running
-- do: the unique index sync_run_running must exist; restart the workers
select instance_id, count(*) from sync_run where state = 'running' group by 1 having count(*) > 1;

-- wrong: a run has ended and says neither when nor how
-- do: report it; the run's row was written by hand or by another version
select id, state from sync_run
where (state in ('succeeded', 'partial', 'held') and (ended_at is null or added is null)) or (state = 'failed' and (ended_at is null or fault is null));

-- wrong: a deleted instance still has users or credentials
-- do: run the removal again: update removal set state = 'requested' where instance_id = …
select i.id, i.name from instance i
where i.status = 'deleted' and (i.sealed is not null or exists (select 1 from account a where a.instance_id = i.id));

-- wrong: credentials are sealed by more than one key
-- do: npm run rotate-keys; it says which key may be taken out of SAASM_SECRET_KEY
select split_part(sealed, '.', 2) as key, count(*) from instance
where sealed is not null and (select count(distinct split_part(sealed, '.', 2)) from instance where sealed is not null) > 1
group by 1;

-- wrong: an instance is being deleted and no removal works on it
-- do: insert a removal of kind instance, state requested, for it
select i.id, i.name from instance i
where i.status = 'deleting' and not exists (select 1 from removal r where r.instance_id = i.id and r.kind = 'instance' and r.state <> 'done');

-- wrong: status and reason contradict each other
-- do: open Edit Instance, set the status and choose Update Instance
select id, name, status, inactive_reason from instance
where (status = 'inactive') <> (inactive_reason is not null);

-- wrong: a Live instance has synced before and nothing will sync it again
-- do: open Edit Instance, choose another schedule and Update Instance
select i.id, i.name from instance i
where i.status = 'live' and i.next_sync_at is null and i.last_outcome <> 'never'
  and not exists (select 1 from sync_run r where r.instance_id = i.id and r.state in ('requested', 'running'))
  and not exists (select 1 from removal m where m.instance_id = i.id and m.state <> 'done');

-- wrong: an instance was connected and its initial sync was never asked for
-- do: choose Sync now
select i.id, i.name from instance i
where i.status = 'live' and i.last_outcome = 'never'
  and not exists (select 1 from sync_run r where r.instance_id = i.id and r.state in ('requested', 'running'))
  and not exists (select 1 from removal m where m.instance_id = i.id and m.state <> 'done');

-- wrong: rows of a run that has ended are left in staging, and the sweep has not dropped them
-- do: start a process with SAASM_ROLES=work; its sweep drops them
select distinct s.run_id from (select run_id from account_staging union select run_id from account_page) s
join sync_run r on r.id = s.run_id
where r.state not in ('requested', 'running') and r.ended_at < now() - interval '5 minutes';

-- wrong: staging holds rows of a claim that never was
-- do: delete from account_staging where run_id = …, and choose Sync now
select distinct s.run_id, s.fence from account_staging s join sync_run r on r.id = s.run_id
where s.fence > r.fence;

-- wrong: people are remembered as they were listed who are not reported, or are not where they were
-- do: delete from account_chunk where instance_id = …; the next sync compares everybody. Report it
select m.instance_id, count(*) as ranges from account_memory m
join account_chunk c on c.instance_id = m.instance_id
cross join string_to_table(c.lines, E'\n') with ordinality as line(chunk, number)
cross join unnest(('{' || substr(chunk, 23) || '}')::int8multirange) as people
where number - 1 <> all(c.void) and m.version = (select r.id from sync_run r where r.instance_id = m.instance_id and r.state in ('succeeded', 'partial', 'held')
    order by r.ended_at desc, r.requested_at desc limit 1)
  and upper(people) - lower(people) <> (select count(*) from account a where a.instance_id = m.instance_id
    and a.seq >= lower(people) and a.seq < upper(people) and a.gone_at is null)
group by m.instance_id;

-- wrong: two incidents of one instance are open
-- do: the unique index incident_open must exist
select instance_id, count(*) from incident where closed_at is null group by 1 having count(*) > 1;

-- wrong: an announced change has no audit row
-- do: report it; a change was made past its transaction
select o.instance_id, count(distinct o.transition_seq) as announced from outbox o
where o.instance_id is not null group by o.instance_id
having count(distinct o.transition_seq) > (select count(*) from audit a where a.instance_id = o.instance_id);
