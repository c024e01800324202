// A real OpenID provider with a few people, on a free port of this machine; its issuer is the first line of stdout.
// Reads one JSON object from the environment variable SETUP: {"people": {login: claims}, "client": {...}, "alg": "RS256"}.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const { people, client, alg = 'RS256' } = JSON.parse(process.env.SETUP);
const names = [...new Set(Object.values(people).flatMap((claims) => Object.keys(claims)))];
const pair = alg.startsWith('ES')
  ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
  : generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: 'one' };

const server = createServer((request, response) => handle(request, response));
let handle;
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ id_token_signed_response_alg: alg, response_types: ['code'], grant_types: ['authorization_code'], ...client }],
    jwks: { keys: [key] },
    claims: { openid: ['sub', ...names] },
    conformIdTokenClaims: false,
    cookies: { keys: ['for tests alone'] },
    features: { devInteractions: { enabled: true } },
    pkce: { required: () => true },
    findAccount: (_context, id) => people[id] && { accountId: id, claims: () => ({ ...people[id], sub: people[id].sub ?? id }) },
  });
  handle = provider.callback();
  process.stdout.write(`${issuer}\n`);
});
