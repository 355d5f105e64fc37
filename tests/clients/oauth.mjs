/* SPDX-License-Identifier: ISC */
/* oauth.mjs LIBRARY ISSUER NAME PASSWORD, and on standard input the clients as a JSON object: what
 * an OAuth library makes of our answers, grant by grant, one JSON object a line. It is told the issuer's URL
 * and nothing else of the server. Knows the calls of the libraries below, and what the user does in a browser
 * behind HTTP Basic; judges nothing. */
import { createPrivateKey } from "node:crypto";
import { text } from "node:stream/consumers";
import * as oauth4webapi from "oauth4webapi";
import * as openidClient from "openid-client";

const [, , library, issuer, name, password] = process.argv;
const clients = JSON.parse(await text(process.stdin));
const redirectUri = "http://127.0.0.1:49152/done";
const audience = "https://api.example";
const options = { [oauth4webapi.allowInsecureRequests]: true }; // 127.0.0.1 needs no TLS
const server = await oauth4webapi.processDiscoveryResponse(new URL(issuer),
    await oauth4webapi.discoveryRequest(new URL(issuer), { algorithm: "oauth2", ...options }));

/* ---- the libraries: each a function of a client that gives the same calls ---- */

async function withOpenidClient({ id, secret, key }) {
    const { ClientSecretBasic, None, PrivateKeyJwt } = openidClient;
    const proof = key ? PrivateKeyJwt(key) : secret ? ClientSecretBasic(secret) : None();
    const config = await openidClient.discovery(new URL(issuer), id, {}, proof,
        { execute: [openidClient.allowInsecureRequests] });

    return {
        async code(scope, visit) {
            const pkceCodeVerifier = openidClient.randomPKCECodeVerifier();
            const expectedState = openidClient.randomState();
            const arrived = await visit(openidClient.buildAuthorizationUrl(config, {
                redirect_uri: redirectUri, scope, state: expectedState, code_challenge_method: "S256",
                code_challenge: await openidClient.calculatePKCECodeChallenge(pkceCodeVerifier),
            }));
            return () => openidClient.authorizationCodeGrant(config, arrived, { pkceCodeVerifier, expectedState });
        },
        refresh: (token) => openidClient.refreshTokenGrant(config, token),
        revoke: (token) => openidClient.tokenRevocation(config, token),
        introspect: (token) => openidClient.tokenIntrospection(config, token),
        clientCredentials: (scope) => openidClient.clientCredentialsGrant(config, { scope }),
        device: (scope) => openidClient.initiateDeviceAuthorization(config, { scope }),
        async poll(device, pending) {
            config[openidClient.customFetch] = async (...request) => {
                const answer = await fetch(...request);
                await pending(await answer.clone().json());
                return answer;
            };
            try {
                return await openidClient.pollDeviceAuthorizationGrant(config, device);
            } finally {
                config[openidClient.customFetch] = undefined;
            }
        },
    };
}

function withOauth4webapi({ id, secret, key }) {
    const { ClientSecretPost, None, PrivateKeyJwt } = oauth4webapi;
    const proof = key ? PrivateKeyJwt(key) : secret ? ClientSecretPost(secret) : None();
    const client = { client_id: id };

    return {
        async code(scope, visit) {
            const verifier = oauth4webapi.generateRandomCodeVerifier();
            const state = oauth4webapi.generateRandomState();
            const link = new URL(server.authorization_endpoint);
            link.search = new URLSearchParams({
                response_type: "code", client_id: id, redirect_uri: redirectUri, scope, state,
                code_challenge: await oauth4webapi.calculatePKCECodeChallenge(verifier),
                code_challenge_method: "S256",
            });
            const answer = oauth4webapi.validateAuthResponse(server, client, await visit(link), state);
            return async () => oauth4webapi.processAuthorizationCodeResponse(server, client,
                await oauth4webapi.authorizationCodeGrantRequest(server, client, proof, answer, redirectUri,
                    verifier, options));
        },
        refresh: async (token) => oauth4webapi.processRefreshTokenResponse(server, client,
            await oauth4webapi.refreshTokenGrantRequest(server, client, proof, token, options)),
        revoke: async (token) => oauth4webapi.processRevocationResponse(
            await oauth4webapi.revocationRequest(server, client, proof, token, options)),
        introspect: async (token) => oauth4webapi.processIntrospectionResponse(server, client,
            await oauth4webapi.introspectionRequest(server, client, proof, token, options)),
        clientCredentials: async (scope) => oauth4webapi.processClientCredentialsResponse(server, client,
            await oauth4webapi.clientCredentialsGrantRequest(server, client, proof, { scope }, options)),
        device: async (scope) => oauth4webapi.processDeviceAuthorizationResponse(server, client,
            await oauth4webapi.deviceAuthorizationRequest(server, client, proof, { scope }, options)),
        async poll(device, pending) {
            for (;;) {
                try {
                    return await oauth4webapi.processDeviceCodeResponse(server, client,
                        await oauth4webapi.deviceCodeGrantRequest(server, client, proof, device.device_code,
                            options));
                } catch (refused) {
                    if (refused.error !== "authorization_pending") {
                        throw refused;
                    }
                    await pending(refused.cause);
                    await new Promise((resolve) => setTimeout(resolve, device.interval * 1000));
                }
            }
        },
    };
}

/* ---- the user ---- */

const basic = { authorization: `Basic ${btoa(`${name}:${password}`)}` };

/** Follows a link as a browser does; where it is sent. */
async function visit(link) {
    const answer = await fetch(link, { headers: basic, redirect: "manual" });
    return new URL(answer.headers.get("location"));
}

/** Types the code into the page of devices, and presses its button. */
async function approve(device) {
    const page = async (more) => (await fetch(device.verification_uri, {
        headers: basic, ...(more && { method: "POST", body: new URLSearchParams(more) }),
    })).text();
    const fields = (html) => Object.fromEntries(
        [...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(([, ...field]) => field));
    const choice = await page({ ...fields(await page()), user_code: device.user_code });
    await page({ ...fields(choice), decision: "allow" });
}

/* ---- from the first request to the last ---- */

/** Prints what a call resolves to, or is rejected with; gives the former. */
async function show(what, call) {
    try {
        const said = await call();
        console.log(JSON.stringify({ what, said }));
        return said;
    } catch (refused) {
        const { name: type, message, error, status } = refused;
        console.log(JSON.stringify({ what, refused: { type, message, error, status } }));
        return undefined;
    }
}

const connect = { "openid-client": withOpenidClient, oauth4webapi: withOauth4webapi }[library];

for (const id of ["app", "web"]) {
    const client = await connect({ id, secret: clients[id].secret });
    const exchange = await client.code("read", visit);
    const first = await show(`${id}: code`, exchange);
    const second = await show(`${id}: refresh`, () => client.refresh(first.refresh_token));
    await show(`${id}: code again`, exchange);
    await show(`${id}: refresh after that`, () => client.refresh(second.refresh_token));
    await show(`${id}: scope of others`, async () => (await client.code("admin", visit))());
    const request = new Request("https://api.example/", { headers: { authorization: `Bearer ${second.access_token}` } });
    await show(`${id}: access token`, () => oauth4webapi.validateJwtAccessToken(server, request, audience,
        options));
}
await show("wrong secret", async () => (await connect({ id: "web", secret: "wrong" })).refresh("any"));

for (const [id, { pem, algorithm }] of Object.entries(clients).filter(([, { pem }]) => pem)) {
    const pkcs8 = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
    await show(`${id}: client_credentials`, async () => (await connect({ id, key })).clientCredentials("read"));
}

const tool = await connect({ id: "app" });
const device = await show("device", () => tool.device("read"));
const polled = await show("device: tokens", () => tool.poll(device, async ({ error }) => {
    if (error === "authorization_pending") {
        console.log(JSON.stringify({ what: "device: pending", said: error }));
        await approve(device);
    }
}));
const renewed = await show("device: refresh", () => tool.refresh(polled.refresh_token));
const api = await connect({ id: "web", secret: clients.web.secret });
await show("api: introspect", () => api.introspect(renewed.access_token));
await show("api: introspect another's", () => api.introspect(renewed.refresh_token));
await show("device: introspect", () => tool.introspect(renewed.access_token));
await show("device: revoke", () => tool.revoke(renewed.access_token));
await show("api: introspect after that", () => api.introspect(renewed.access_token));
await show("device: refresh after that", () => tool.refresh(renewed.refresh_token));
await show("device: revoke again", () => tool.revoke(renewed.refresh_token));
