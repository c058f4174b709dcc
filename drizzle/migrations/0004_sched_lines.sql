CREATE TABLE "sync_host" (
	"host" text PRIMARY KEY NOT NULL,
	"due_at" timestamp with time zone,
	"urgent" boolean DEFAULT false NOT NULL,
	"smallest" smallint DEFAULT 0 NOT NULL,
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