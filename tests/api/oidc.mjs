// SPDX-License-Identifier: Apache-2.0
// A real OIDC issuer on loopback for oidc.py: node oidc.mjs PORT ALG, from the folder where oidc-provider and jose are installed.
import { createRequire } from 'module';
import { pathToFileURL } from 'url';
const from = createRequire(process.cwd() + '/');
const load = async (name) => import(pathToFileURL(from.resolve(name)));
const { default: Provider } = await load('oidc-provider');
const { generateKeyPair, exportJWK } = await load('jose');
const [port, alg] = [+process.argv[2], process.argv[3]];
const key = async (a, kid) => ({ ...await exportJWK((await generateKeyPair(a, { extractable: true })).privateKey), alg: a, kid, use: 'sig' });
const server = {
  scope: 'query ingest admin', audience: 'https://takc.example', accessTokenTTL: 300, accessTokenFormat: 'jwt', jwt: { sign: { alg } },
};
new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [await key('RS256', 'k1'), await key('ES256', 'k2')] },
  scopes: ['query', 'ingest', 'admin'],
  extraTokenClaims: () => ({ tenant: 'acme' }),
  clients: [{ client_id: 'takc-app', client_secret: 's3cret', grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: { enabled: true, defaultResource: () => server.audience, useGrantedResource: () => true, getResourceServerInfo: () => server },
  },
}).listen(port, '127.0.0.1', () => console.log('ready'));
