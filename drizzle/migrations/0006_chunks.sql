CREATE TABLE "account_chunk" (
	"instance_id" uuid NOT NULL,
	"part" integer NOT NULL,
	"lines" text NOT NULL,
	CONSTRAINT "account_chunk_instance_id_part_pk" PRIMARY KEY("instance_id","part")
);
--> statement-breakpoint
CREATE TABLE "account_memory" (
	"instance_id" uuid PRIMARY KEY NOT NULL,
	"version" uuid NOT NULL,
	"reported" integer
);
--> statement-breakpoint
ALTER TABLE "account_chunk" SET UNLOGGED;--> statement-breakpoint
ALTER TABLE "account_memory" SET UNLOGGED;--> statement-breakpoint
-- Digests do not shrink: nothing is gained by trying.
ALTER TABLE "account_chunk" ALTER COLUMN "lines" SET STORAGE EXTERNAL;
--> statement-breakpoint
CREATE INDEX "account_seq" ON "account" USING btree ("instance_id","seq");
