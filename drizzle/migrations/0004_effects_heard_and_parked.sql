CREATE TABLE "heard" (
	"once" text PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "heard_at" ON "heard" USING btree ("at");--> statement-breakpoint
CREATE INDEX "outbox_parked" ON "outbox" USING btree ("team_id","created_at") WHERE state = 'parked';