/* SPDX-License-Identifier: ISC */
/* oidc-provider.mjs: oidc-provider over redis with its documented adapter: refresh tokens rotate,
 * access tokens are RS256 JWTs. Environment: KEY, REDIS, PORT, COUNT, TOKENS. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import Redis from 'ioredis';
import { Provider } from 'oidc-provider';

const redis = new Redis(process.env.REDIS);
const jwk = crypto.createPrivateKey(fs.readFileSync(process.env.KEY)).export({ format: 'jwk' });
const RESOURCE = 'urn:bench';
const BY_GRANT = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode',
  'BackchannelAuthenticationRequest']);
const CONSUMABLE = new Set(['AuthorizationCode', 'RefreshToken', 'DeviceCode',
  'BackchannelAuthenticationRequest']);

/* After example/adapters/redis.js of the package. */
class Adapter {
  constructor(name) { this.name = name; }
  key(id) { return `oidc:${this.name}:${id}`; }
  async upsert(id, payload, expiresIn) {
    const key = this.key(id);
    const multi = redis.multi();
    if (CONSUMABLE.has(this.name)) multi.hset(key, { payload: JSON.stringify(payload) });
    else multi.set(key, JSON.stringify(payload));
    if (expiresIn) multi.expire(key, expiresIn);
    if (BY_GRANT.has(this.name) && payload.grantId) {
      const grant = `oidc:grant:${payload.grantId}`;
      multi.rpush(grant, key);
      const left = await redis.ttl(grant);
      if (expiresIn > left) multi.expire(grant, expiresIn);
    }
    await multi.exec();
  }
  async find(id) {
    const data = CONSUMABLE.has(this.name) ? await redis.hgetall(this.key(id)) : await redis.get(this.key(id));
    if (!data || data.length === 0 || (typeof data === 'object' && !data.payload)) return undefined;
    if (typeof data === 'string') return JSON.parse(data);
    const { payload, ...rest } = data;
    return { ...rest, ...JSON.parse(payload) };
  }
  async findByUid() {}
  async findByUserCode() {}
  async destroy(id) { await redis.del(this.key(id)); }
  async revokeByGrantId(grantId) {
    const keys = await redis.lrange(`oidc:grant:${grantId}`, 0, -1);
    await redis.del(`oidc:grant:${grantId}`, ...keys);
  }
  async consume(id) { await redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000)); }
}

const provider = new Provider(`http://127.0.0.1:${process.env.PORT}`, {
  adapter: Adapter,
  jwks: { keys: [{ ...jwk, alg: 'RS256', use: 'sig', kid: 'bench' }] },
  clients: [{ client_id: 'web', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/'],
    grant_types: ['refresh_token', 'authorization_code'], response_types: ['code'] }],
  scopes: ['offline_access', 'api'],
  findAccount: async (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  rotateRefreshToken: true,
  ttl: { RefreshToken: 30 * 86400, Grant: 30 * 86400, AccessToken: 3600 },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => RESOURCE,
      useGrantedResource: async () => true,
      getResourceServerInfo: async () => ({ scope: 'api', accessTokenFormat: 'jwt',
        accessTokenTTL: 3600, jwt: { sign: { alg: 'RS256' } } }),
    },
  },
  cookies: { keys: ['bench'] },
});

const client = await provider.Client.find('web');
const lines = [];
for (let i = 0; i < Number(process.env.COUNT); i++) {
  const grant = new provider.Grant({ accountId: 'ada', clientId: 'web' });
  grant.addOIDCScope('offline_access');
  grant.addResourceScope(RESOURCE, 'api');
  const token = new provider.RefreshToken({ accountId: 'ada', client, grantId: await grant.save(),
    gty: 'authorization_code', scope: 'offline_access api', resource: RESOURCE, rotations: 0,
    authTime: Math.floor(Date.now() / 1000), iiat: Math.floor(Date.now() / 1000) });
  lines.push(await token.save());
}
fs.writeFileSync(process.env.TOKENS, lines.join('\n') + '\n');
http.createServer(provider.callback()).listen(Number(process.env.PORT), '127.0.0.1');
