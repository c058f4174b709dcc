CREATE TABLE "sync_host" (
	"host" text PRIMARY KEY NOT NULL,
	"due_at" timestamp with time zone,
	"urgent" boolean DEFAULT false NOT NULL,
	"ready_at" timestamp with time zone DEFAULT now() NOT NULL,
	"next_start_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
DROP INDEX "sync_run_due";--> statement-breakpoint
ALTER TABLE "sync_run" ADD COLUMN "host" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "sync_run" ADD COLUMN "size" text DEFAULT 'unknown' NOT NULL;--> statement-breakpoint
ALTER TABLE "sync_run" ADD COLUMN "urgent" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "sync_host_turn" ON "sync_host" USING btree ("urgent" DESC NULLS FIRST,"ready_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "sync_run_waiting" ON "sync_run" USING btree ("host","urgent" DESC NULLS FIRST,"due_at") WHERE state = 'requested';--> statement-breakpoint
CREATE INDEX "sync_run_on_host" ON "sync_run" USING btree ("host") WHERE state = 'running';
--> statement-breakpoint
-- The audit is append-only for whoever does not own it: what docs/database-roles.sql gave by default is taken back here.
DO $$
DECLARE
	holder name;
BEGIN
	FOR holder IN
		SELECT DISTINCT r.rolname FROM pg_class c
		CROSS JOIN LATERAL aclexplode(c.relacl) a
		JOIN pg_roles r ON r.oid = a.grantee
		WHERE c.oid = 'public.audit'::regclass AND a.grantee <> c.relowner
	LOOP
		EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON public.audit FROM %I', holder);
	END LOOP;
END
$$;
--> statement-breakpoint
-- The one way that audit rows go: the oldest first, none younger than 30 days, at most so many; returns how many went.
-- It runs with the rights of its owner, the migrator; whoever may append may call it.
CREATE FUNCTION public.purge_audit(older_than interval, at_most integer) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	gone integer;
BEGIN
	IF NOT has_table_privilege(session_user, 'public.audit', 'INSERT') THEN
		RAISE EXCEPTION 'permission denied for function purge_audit' USING ERRCODE = 'insufficient_privilege';
	END IF;
	-- Counted back from now: a month is as long as the calendar says.
	IF older_than IS NULL OR now() - older_than > now() - interval '30 days' THEN
		RAISE EXCEPTION 'audit rows are kept for at least 30 days' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF at_most IS NULL OR at_most < 1 OR at_most > 100000 THEN
		RAISE EXCEPTION 'at_most is 1 to 100000' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	DELETE FROM public.audit WHERE id IN (
		SELECT id FROM public.audit WHERE at < now() - older_than ORDER BY id LIMIT at_most FOR UPDATE SKIP LOCKED);
	GET DIAGNOSTICS gone = ROW_COUNT;
	RETURN gone;
END
$$;
