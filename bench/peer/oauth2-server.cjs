/* SPDX-License-Identifier: ISC */
/* oauth2-server.cjs: @node-oauth/oauth2-server over redis or PostgreSQL: refresh tokens rotate, access tokens
 * are JWTs with the claims that Retoken's have, RS256 or ES256 by the key. Environment: KEY, PORT, COUNT, TOKENS;
 * REDIS (a socket) or PGHOST, PGUSER and PGDATABASE. */
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const OAuth2Server = require('@node-oauth/oauth2-server');

const key = crypto.createPrivateKey(fs.readFileSync(process.env.KEY));
const algorithm = key.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256';
const storage = process.env.REDIS ? onRedis() : onPostgresql();
const LIFETIME = 30 * 86400;
const client = { id: 'web', grants: ['refresh_token'], refreshTokenLifetime: LIFETIME };
const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = part({ typ: 'at+jwt', alg: algorithm, kid: 'bench' });

function sign(user) {
  const now = Math.floor(Date.now() / 1000);
  const input = `${header}.${part({ iss: 'bench', sub: user.id, exp: now + 3600, iat: now,
    jti: crypto.randomUUID(), client_id: client.id, sid: user.sid })}`;
  const signature = crypto.sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function onRedis() {
  const redis = new (require('ioredis'))(process.env.REDIS);
  return {
    begin: async () => {},
    find: async token => JSON.parse(await redis.get(`rt:${token}`)),
    remove: async token => await redis.del(`rt:${token}`) === 1,
    put: (token, user, until) => redis.set(`rt:${token}`, JSON.stringify({ user, until }), 'EX', LIFETIME),
  };
}

/* As a careful application would: a pool, prepared statements, one row a token, found by its key. */
function onPostgresql() {
  const pool = new (require('pg').Pool)();
  const query = (name, text, ...values) => pool.query({ name, text, values });
  return {
    begin: () => pool.query(`CREATE TABLE refresh_tokens (token text PRIMARY KEY, user_id text NOT NULL,
      sid uuid NOT NULL, until bigint NOT NULL)`),
    find: async token => {
      const { rows: [row] } = await query('find', 'SELECT user_id, sid, until FROM refresh_tokens WHERE token = $1', token);
      return row ? { user: { id: row.user_id, sid: row.sid }, until: Number(row.until) } : null;
    },
    remove: async token =>
      (await query('remove', 'DELETE FROM refresh_tokens WHERE token = $1', token)).rowCount === 1,
    put: (token, user, until) =>
      query('put', 'INSERT INTO refresh_tokens VALUES ($1, $2, $3, $4)', token, user.id, user.sid, until),
  };
}

const model = {
  getClient: async () => client,
  getRefreshToken: async token => {
    const found = await storage.find(token);
    return found && { refreshToken: token, refreshTokenExpiresAt: new Date(found.until), client, user: found.user };
  },
  revokeToken: token => storage.remove(token.refreshToken),
  generateAccessToken: async (_client, user) => sign(user),
  saveToken: async (token, _client, user) => {
    await storage.put(token.refreshToken, user, token.refreshTokenExpiresAt.getTime());
    return { ...token, client, user };
  },
};
const server = new OAuth2Server({ model, requireClientAuthentication: { refresh_token: false } });

function answer(request, response, text) {
  const asked = new OAuth2Server.Request({ method: request.method, headers: request.headers, query: {},
    body: Object.fromEntries(new URLSearchParams(text)) });
  const made = new OAuth2Server.Response({});
  server.token(asked, made).catch(() => {}).then(() => {
    const body = JSON.stringify(made.body);
    response.writeHead(made.status, { ...made.headers, 'content-type': 'application/json',
      'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
}

(async () => {
  await storage.begin();
  const lines = [];
  for (let i = 0; i < Number(process.env.COUNT); i++) {
    const token = crypto.randomBytes(20).toString('hex');
    const user = { id: 'ada', sid: crypto.randomUUID() };
    await storage.put(token, user, Date.now() + LIFETIME * 1000);
    lines.push(token);
  }
  fs.writeFileSync(process.env.TOKENS, lines.join('\n') + '\n');
  http.createServer((request, response) => {
    let text = '';
    request.on('data', piece => { text += piece; });
    request.on('end', () => answer(request, response, text));
  }).listen(Number(process.env.PORT), '127.0.0.1');
})();
