ALTER TABLE "account" ADD COLUMN "missing_run_id" uuid;--> statement-breakpoint
ALTER TABLE "sync_run" ADD COLUMN "held" jsonb;--> statement-breakpoint
CREATE INDEX "account_missing" ON "account" USING btree ("instance_id","missing_run_id") WHERE missing_run_id is not null;