// A Hono server that lets API keys of better-auth in, on SQLite in WAL mode, to compare with.
// Usage: node better_auth.mjs FOLDER. Prints its address and a key as JSON.

import { serve } from '@hono/node-server';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import Database from 'better-sqlite3';
import { Hono } from 'hono';

const database = new Database(`${process.argv[2]}/keys.db`);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = NORMAL');

const auth = betterAuth({
  database,
  baseURL: 'http://127.0.0.1',
  secret: 'of this comparison, and of nothing else',
  emailAndPassword: { enabled: true },
  // Its own limit of requests would refuse most of the load.
  plugins: [apiKey({ rateLimit: { enabled: false } })],
  telemetry: { enabled: false },
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();

const person = { name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' };
const { user } = await auth.api.signUpEmail({ body: person });
const { key } = await auth.api.createApiKey({ body: { name: 'bench', userId: user.id } });

const app = new Hono();
app.get('/open', (c) => c.json({ user: user.id }));
app.get('/checked', async (c) => {
  const presented = c.req.header('x-api-key') ?? '';
  const { valid, key: known } = await auth.api.verifyApiKey({ body: { key: presented } });
  return valid ? c.json({ user: known.referenceId }) : c.json({ user: null }, 401);
});
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  console.log(JSON.stringify({ address: `http://127.0.0.1:${port}`, key }));
});
