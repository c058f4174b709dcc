ALTER TABLE "sync_run" ADD COLUMN "staged_at_claim" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "sync_run" ADD COLUMN "put_off_ms" integer DEFAULT 0 NOT NULL;