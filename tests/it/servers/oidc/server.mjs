// A real authorization server (oidc-provider), shaped like Entra ID: its paths, its scope for Key Vault, access tokens
// for vaults, id tokens that tell the tenant. Prints one JSON line with its issuer and its control address once it is
// ready, and ends with its standard input. Environment: CERTIFICATE, KEY (PEM files), TENANT, CLIENT, ACCESS_LIFE (s).

import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { generateKeyPair, exportJWK, createLocalJWKSet, jwtVerify } from 'jose';
import Provider, { errors } from 'oidc-provider';

const { CERTIFICATE, KEY, TENANT, CLIENT } = process.env;
const accessLife = Number(process.env.ACCESS_LIFE ?? 3600);
const VAULTS = 'https://vault.azure.net';
const DAY = 24 * 60 * 60;

const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const jwk = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: randomUUID() };
const { d, p, q, dp, dq, qi, ...published } = jwk;
const keys = createLocalJWKSet({ keys: [published] });

const server = https.createServer({ cert: fs.readFileSync(CERTIFICATE), key: fs.readFileSync(KEY) });
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `https://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: CLIENT,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    // Any port of these is accepted, as RFC 8252 wants it.
    redirect_uris: ['http://127.0.0.1/', 'http://localhost/'],
  }],
  jwks: { keys: [jwk] },
  cookies: { keys: [createHash('sha256').update(KEY).digest('hex')] },
  pkce: { required: () => true },
  scopes: ['openid', 'profile', 'offline_access', `${VAULTS}/user_impersonation`],
  claims: { openid: ['sub', 'tid'], profile: ['name', 'preferred_username'] },
  conformIdTokenClaims: false,
  // Entra ID gives one for `offline_access` without a consent each time, for which this server drops that scope.
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  ttl: { AccessToken: accessLife, IdToken: accessLife, AuthorizationCode: 60, DeviceCode: 600, RefreshToken: 90 * DAY, Grant: 90 * DAY, Session: DAY, Interaction: 600 },
  routes: {
    authorization: `/${TENANT}/oauth2/v2.0/authorize`,
    token: `/${TENANT}/oauth2/v2.0/token`,
    device_authorization: `/${TENANT}/oauth2/v2.0/devicecode`,
    code_verification: '/devicelogin',
  },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => VAULTS,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => {
        if (resource !== VAULTS) throw new errors.InvalidTarget();
        return { scope: `${VAULTS}/user_impersonation`, audience: VAULTS, accessTokenTTL: accessLife, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
      },
    },
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, tid: TENANT, name: id, preferred_username: id }) }),
});
server.on('request', provider.callback());

// Tells whether a token, the body of the request, is one of this server's for vaults.
const control = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    const { payload } = await jwtVerify(Buffer.concat(chunks).toString(), keys, { issuer, audience: VAULTS });
    response.end(JSON.stringify(payload));
  } catch {
    response.statusCode = 401;
    response.end('{}');
  }
});
control.listen(0, '127.0.0.1');
await once(control, 'listening');

process.stdin.resume().on('end', () => process.exit(0));
console.log(JSON.stringify({ issuer, control: `127.0.0.1:${control.address().port}` }));
