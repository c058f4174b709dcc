CREATE TABLE "recipient_draft" (
	"id" uuid PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"user_id" text NOT NULL,
	"base" jsonb NOT NULL,
	"wanted" jsonb NOT NULL,
	"at" timestamp with time zone NOT NULL
);
