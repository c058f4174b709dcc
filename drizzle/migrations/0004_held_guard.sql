ALTER TABLE "account" ADD COLUMN "missing_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "account" ADD COLUMN "held_status" text;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "edits" uuid;--> statement-breakpoint
ALTER TABLE "instance" ADD COLUMN "removal_people_max" integer DEFAULT 10 NOT NULL;--> statement-breakpoint
ALTER TABLE "instance" ADD COLUMN "removal_percent_max" integer DEFAULT 20 NOT NULL;--> statement-breakpoint
ALTER TABLE "removal" ADD COLUMN "total" integer;--> statement-breakpoint
ALTER TABLE "removal" ADD COLUMN "progress_id" uuid;--> statement-breakpoint
ALTER TABLE "sync_run" ADD COLUMN "progress_id" uuid;--> statement-breakpoint
CREATE INDEX "outbox_edits" ON "outbox" USING btree ("edits") WHERE edits is not null;