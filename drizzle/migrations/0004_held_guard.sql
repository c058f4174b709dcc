ALTER TABLE "account" ADD COLUMN "missing_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "account" ADD COLUMN "held_status" text;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "edits" uuid;--> statement-breakpoint
ALTER TABLE "instance" ADD COLUMN "removal_people_max" integer DEFAULT 10 NOT NULL;--> statement-breakpoint
ALTER TABLE "instance" ADD COLUMN "removal_percent_max" integer DEFAULT 20 NOT NULL;--> statement-breakpoint
ALTER TABLE "removal" ADD COLUMN "total" integer;--> statement-breakpoint
ALTER TABLE "removal" ADD COLUMN "progress_id" uuid;--> statement-breakpoint
ALTER TABLE "sync_run" ADD COLUMN "progress_id" uuid;--> statement-breakpoint
CREATE INDEX "outbox_edits" ON "outbox" USING btree ("edits") WHERE edits is not null;--> statement-breakpoint
-- Questions that were asked before this migration go on: their marks are their own run's.
UPDATE "sync_run" SET "held" = "held" || jsonb_build_object('gone', "held"->'count', 'disabled', 0, 'markedBy', "id", 'card', null, 'askedAt', "ended_at", 'names', '[]'::jsonb, 'why', '[]'::jsonb) WHERE "held" IS NOT NULL AND NOT "held" ? 'gone';--> statement-breakpoint
UPDATE "account" SET "missing_since" = r."ended_at" FROM "sync_run" r WHERE "account"."missing_run_id" = r."id" AND "account"."missing_since" IS NULL;
