DROP INDEX "sync_host_turn";--> statement-breakpoint
CREATE INDEX "sync_host_turn" ON "sync_host" USING btree ("smallest","urgent" DESC NULLS FIRST,"ready_at") WHERE due_at is not null;