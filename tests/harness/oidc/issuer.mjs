// A certified OpenID Connect issuer on loopback, for tests: node issuer.mjs MODULES REDIRECT_URI.
// Whoever gives a mail address at its form is let in as the person of that address. Prints its URL.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [modules, redirect] = process.argv.slice(2);
const { default: Provider } = await import(
  pathToFileURL(`${modules}/node_modules/oidc-provider/lib/index.js`)
);
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, {
    clients: [{ client_id: 'skerry', client_secret: 'of-the-real-one', redirect_uris: [redirect] }],
    claims: { email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: id,
        email_verified: true,
        name: 'A Person',
        preferred_username: id.split('@')[0],
      }),
    }),
  });
  server.on('request', provider.callback());
  console.log(url);
});
