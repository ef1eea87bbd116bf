// An OpenID Connect provider for tests: `node provider.mjs CALLBACK`. It prints its address. What it claims of people
// is told to it in advance, by POST /claims.
import { createServer } from "node:http"
import { Provider } from "oidc-provider"

const known = new Map()
const server = createServer()
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "tmi",
        client_secret: "a-secret-of-the-provider",
        redirect_uris: [process.argv[2]],
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    pkce: { required: () => true },
    cookies: { keys: ["for-tests-only"] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ ...known.get(id), sub: id }) }),
    loadExistingGrant: async (context) => {
      const { Grant } = context.oidc.provider
      const grant = new Grant({
        clientId: context.oidc.client.clientId,
        accountId: context.oidc.session.accountId,
      })
      grant.addOIDCScope("openid email profile groups")
      await grant.save()
      return grant
    },
  })
  const answer = provider.callback()
  server.on("request", async (request, response) => {
    if (request.url !== "/claims") return answer(request, response)
    const parts = []
    for await (const part of request) parts.push(part)
    const claims = JSON.parse(Buffer.concat(parts).toString())
    known.set(claims.sub, claims)
    response.end()
  })
  console.log(issuer)
})
