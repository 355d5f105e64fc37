/* SPDX-License-Identifier: ISC */
/* oauth2-server.cjs: @node-oauth/oauth2-server over redis: refresh tokens rotate, access tokens are RS256
 * JWTs with the claims that Retoken's have. Environment: KEY, REDIS, PORT, COUNT, TOKENS. */
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const Redis = require('ioredis');
const OAuth2Server = require('@node-oauth/oauth2-server');

const key = crypto.createPrivateKey(fs.readFileSync(process.env.KEY));
const redis = new Redis(process.env.REDIS);
const LIFETIME = 30 * 86400;
const client = { id: 'web', grants: ['refresh_token'], refreshTokenLifetime: LIFETIME };
const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = part({ typ: 'at+jwt', alg: 'RS256', kid: 'bench' });

function sign(user) {
  const now = Math.floor(Date.now() / 1000);
  const input = `${header}.${part({ iss: 'bench', sub: user.id, exp: now + 3600, iat: now,
    jti: crypto.randomUUID(), client_id: client.id, sid: user.sid })}`;
  return `${input}.${crypto.sign('RSA-SHA256', Buffer.from(input), key).toString('base64url')}`;
}

const model = {
  getClient: async () => client,
  getRefreshToken: async token => {
    const found = await redis.get(`rt:${token}`);
    if (!found) return null;
    const { user, until } = JSON.parse(found);
    return { refreshToken: token, refreshTokenExpiresAt: new Date(until), client, user };
  },
  revokeToken: async token => await redis.del(`rt:${token.refreshToken}`) === 1,
  generateAccessToken: async (_client, user) => sign(user),
  saveToken: async (token, _client, user) => {
    await redis.set(`rt:${token.refreshToken}`,
      JSON.stringify({ user, until: token.refreshTokenExpiresAt.getTime() }), 'EX', LIFETIME);
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
  const lines = [];
  for (let i = 0; i < Number(process.env.COUNT); i++) {
    const token = crypto.randomBytes(20).toString('hex');
    const user = { id: 'ada', sid: crypto.randomUUID() };
    await redis.set(`rt:${token}`, JSON.stringify({ user, until: Date.now() + LIFETIME * 1000 }), 'EX', LIFETIME);
    lines.push(token);
  }
  fs.writeFileSync(process.env.TOKENS, lines.join('\n') + '\n');
  http.createServer((request, response) => {
    let text = '';
    request.on('data', piece => { text += piece; });
    request.on('end', () => answer(request, response, text));
  }).listen(Number(process.env.PORT), '127.0.0.1');
})();
