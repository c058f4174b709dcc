// Where drizzle-kit finds the tables and writes migrations: `npm run migrations` after a change of a table.
import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/*/table.ts',
  out: './drizzle/migrations',
})
