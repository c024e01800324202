// OpenTDF's SDK at the command line: seals or opens one file, as a JSON object on stdin says.
// { do: "seal" | "open", in, out, kas: { URL: TOKEN, ... }, policy?, window? }
import { readFileSync, writeFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';

// It is made for browsers: what it looks for there, before it is loaded.
globalThis.crypto ??= webcrypto;
globalThis.document = { documentElement: { style: { MozAppearance: '' } } };
console.log = console.info = console.warn = () => {};
const { default: dpop } = await import('dpop');
const { TDF3Client } = await import('@opentdf/client');

const asked = JSON.parse(readFileSync(0, 'utf8'));
const servers = Object.keys(asked.kas);
let signing;

const authProvider = {
  async updateClientPublicKey(keys) {
    signing = keys;
  },
  async withCreds(request) {
    const token = asked.kas[servers.find((url) => request.url.startsWith(`${url}/`))];
    const proof = await dpop(signing, request.url, request.method, undefined, token);
    return { ...request, headers: { ...request.headers, Authorization: `Bearer ${token}`, DPoP: proof } };
  },
};

const client = new TDF3Client({ clientId: 'aldis', kasEndpoint: servers[0], allowedKases: servers, authProvider });
const source = new Uint8Array(readFileSync(asked.in));
let stream;
if (asked.do === 'seal') {
  stream = await client.encrypt({
    scope: { policyObject: asked.policy },
    source: new ReadableStream({
      start(controller) {
        controller.enqueue(source);
        controller.close();
      },
    }),
    offline: true,
    windowSize: asked.window ?? 1 << 20,
  });
} else {
  stream = await client.decrypt({ source: { type: 'buffer', location: source } });
}
writeFileSync(asked.out, await stream.toBuffer());
