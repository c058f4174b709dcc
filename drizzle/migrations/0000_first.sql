CREATE TABLE "account_problem" (
	"run_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"external_id" text,
	"message" text NOT NULL,
	CONSTRAINT "account_problem_run_id_position_pk" PRIMARY KEY("run_id","position")
);
--> statement-breakpoint
CREATE TABLE "account_staging" (
	"run_id" uuid NOT NULL,
	"fence" bigint NOT NULL,
	"external_id" text NOT NULL,
	"email" text,
	"name" text,
	"status" text NOT NULL,
	"kind" text NOT NULL,
	"roles" text[] NOT NULL,
	"admin" boolean,
	"licences" text[] NOT NULL,
	"mfa" boolean,
	"last_active_at" timestamp with time zone,
	"created_at" timestamp with time zone,
	"hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "account" (
	"instance_id" uuid NOT NULL,
	"external_id" text NOT NULL,
	"email" text,
	"name" text,
	"status" text NOT NULL,
	"kind" text NOT NULL,
	"roles" text[] NOT NULL,
	"admin" boolean,
	"licences" text[] NOT NULL,
	"mfa" boolean,
	"last_active_at" timestamp with time zone,
	"created_at" timestamp with time zone,
	"hash" text NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"gone_at" timestamp with time zone,
	"gone_run_id" uuid,
	CONSTRAINT "account_instance_id_external_id_pk" PRIMARY KEY("instance_id","external_id")
);
--> statement-breakpoint
CREATE TABLE "incident" (
	"id" uuid PRIMARY KEY NOT NULL,
	"instance_id" uuid NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	"fault_code" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" uuid PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"instance_id" uuid,
	"transition_seq" integer NOT NULL,
	"medium" text NOT NULL,
	"destination" text NOT NULL,
	"incident_id" uuid,
	"announcement" jsonb NOT NULL,
	"rendered" jsonb,
	"state" text NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"lease_until" timestamp with time zone,
	"lease_owner" text,
	"fence" bigint DEFAULT 0 NOT NULL,
	"first_sent_at" timestamp with time zone,
	"reason" text,
	"sent_channel" text,
	"sent_ref" text,
	"created_at" timestamp with time zone NOT NULL,
	"sent_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"team_id" text NOT NULL,
	"actor" text NOT NULL,
	"source" text NOT NULL,
	"action" text NOT NULL,
	"instance_id" uuid,
	"instance_name" text,
	"before" jsonb,
	"after" jsonb
);
--> statement-breakpoint
CREATE TABLE "instance" (
	"id" uuid PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"name" text NOT NULL,
	"connector" text NOT NULL,
	"tenant_key" text,
	"tenant_name" text,
	"settings" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"sealed" text,
	"status" text NOT NULL,
	"inactive_reason" text,
	"inactive_detail" text,
	"inactive_by" text,
	"inactive_at" timestamp with time zone,
	"schedule_hours" integer DEFAULT 24 NOT NULL,
	"next_sync_at" timestamp with time zone,
	"owner" text NOT NULL,
	"created_by" text NOT NULL,
	"channel" text,
	"version" integer DEFAULT 1 NOT NULL,
	"generation" integer DEFAULT 1 NOT NULL,
	"last_outcome" text DEFAULT 'never' NOT NULL,
	"last_fault_code" text,
	"last_success_at" timestamp with time zone,
	"transition_seq" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "recipient" (
	"id" uuid PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"instance_id" uuid,
	"email" text NOT NULL,
	"added_by" text NOT NULL,
	"added_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "removal" (
	"id" uuid PRIMARY KEY NOT NULL,
	"instance_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"requested_by" text NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"lease_until" timestamp with time zone,
	"lease_owner" text,
	"fence" bigint DEFAULT 0 NOT NULL,
	"requested_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"removed" integer DEFAULT 0 NOT NULL,
	"announced" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sync_run" (
	"id" uuid PRIMARY KEY NOT NULL,
	"instance_id" uuid NOT NULL,
	"trigger" text NOT NULL,
	"requested_by" text,
	"state" text NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"lease_until" timestamp with time zone,
	"lease_owner" text,
	"fence" bigint DEFAULT 0 NOT NULL,
	"requested_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"pages" integer DEFAULT 0 NOT NULL,
	"people_read" integer DEFAULT 0 NOT NULL,
	"added" integer,
	"changed" integer,
	"removed" integer,
	"unchanged" integer,
	"fault" jsonb,
	"warnings" jsonb DEFAULT '[]'::jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "account" ADD CONSTRAINT "account_instance_id_instance_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."instance"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "incident" ADD CONSTRAINT "incident_instance_id_instance_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."instance"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_instance_id_instance_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."instance"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_incident_id_incident_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incident"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recipient" ADD CONSTRAINT "recipient_instance_id_instance_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."instance"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "removal" ADD CONSTRAINT "removal_instance_id_instance_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."instance"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sync_run" ADD CONSTRAINT "sync_run_instance_id_instance_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."instance"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "account_staging_run" ON "account_staging" USING btree ("run_id","fence");--> statement-breakpoint
CREATE INDEX "account_email" ON "account" USING btree (lower(email));--> statement-breakpoint
CREATE UNIQUE INDEX "incident_open" ON "incident" USING btree ("instance_id") WHERE closed_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_once" ON "outbox" USING btree ("instance_id","transition_seq","medium","destination") WHERE instance_id is not null;--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("due_at") WHERE state in ('pending', 'sending');--> statement-breakpoint
CREATE INDEX "outbox_incident" ON "outbox" USING btree ("incident_id");--> statement-breakpoint
CREATE INDEX "audit_team" ON "audit" USING btree ("team_id","id");--> statement-breakpoint
CREATE INDEX "audit_instance" ON "audit" USING btree ("instance_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "instance_name" ON "instance" USING btree ("team_id",lower("name")) WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX "instance_due" ON "instance" USING btree ("next_sync_at") WHERE status = 'live';--> statement-breakpoint
CREATE UNIQUE INDEX "recipient_address" ON "recipient" USING btree ("team_id",coalesce("instance_id", '00000000-0000-0000-0000-000000000000'::uuid),lower("email"));--> statement-breakpoint
CREATE UNIQUE INDEX "removal_open" ON "removal" USING btree ("instance_id","kind") WHERE state in ('requested', 'running');--> statement-breakpoint
CREATE INDEX "removal_due" ON "removal" USING btree ("due_at") WHERE state in ('requested', 'running');--> statement-breakpoint
CREATE UNIQUE INDEX "sync_run_running" ON "sync_run" USING btree ("instance_id") WHERE state = 'running';--> statement-breakpoint
CREATE UNIQUE INDEX "sync_run_requested" ON "sync_run" USING btree ("instance_id") WHERE state = 'requested';--> statement-breakpoint
CREATE INDEX "sync_run_due" ON "sync_run" USING btree ("due_at") WHERE state in ('requested', 'running');--> statement-breakpoint
CREATE INDEX "sync_run_history" ON "sync_run" USING btree ("instance_id","requested_at");