/* SPDX-License-Identifier: ISC */
/* backends.js BACKEND URL NAME PASSWORD APPLICATION [SECRET]: what the client of a backend whose dialect a
 * file describes makes of our answers: a login, two refreshes in a chain, a logout and a refresh
 * after it, one JSON object a line. Knows the clients' calls; judges nothing. */
"use strict";

const [, , backend, url, name, password, application, secret] = process.argv;

/* ---- the clients: each a function that gives the same calls ---- */

function supabase() {
    const { AuthClient } = require("@supabase/auth-js");
    const client = new AuthClient({ url: `${url}/auth/v1`, headers: { apikey: "anon" }, autoRefreshToken: false });
    const session = ({ data, error }) => {
        if (error) throw Object.assign(error, { kind: error.name });
        return { access: data.session.access_token, refresh: data.session.refresh_token, user: data.user };
    };

    return {
        login: async () => session(await client.signInWithPassword({ email: name, password })),
        refresh: async () => session(await client.refreshSession()),
        user: async () => (await client.getUser()).data.user,
        logout: async () => {
            const { error } = await client.signOut({ scope: "local" });
            if (error) throw error;
        },
        refreshWith: async (refresh_token) => session(await client.refreshSession({ refresh_token })),
    };
}

/* What a browser does with cookies, which Node.js has no place for. */
function cookieJar() {
    const kept = {};

    return {
        kept,
        fetch: async (target, options) => {
            const headers = new Headers(options.headers);
            const sent = Object.entries(kept).map(([one, value]) => `${one}=${value}`).join("; ");

            if (options.credentials === "include" && sent) headers.set("Cookie", sent);
            const answer = await fetch(target, { ...options, headers });
            for (const line of answer.headers.getSetCookie()) {
                const [, one, value, rest] = /^([^=]+)=([^;]*)(.*)$/.exec(line);
                if (/; Max-Age=0(;|$)/.test(rest)) delete kept[one];
                else kept[one] = value;
            }
            return answer;
        },
    };
}

function directus(mode) {
    const sdk = require("@directus/sdk");
    const storage = { kept: null, get: () => storage.kept, set: (data) => { storage.kept = data; } };
    const jar = cookieJar();
    const client = sdk.createDirectus(url, { globals: { fetch: jar.fetch, URL, WebSocket: null, console } })
        .with(sdk.authentication(mode, { autoRefresh: false, storage, credentials: "include" })).with(sdk.rest());
    const session = () => ({
        access: storage.kept.access_token ?? jar.kept.directus_session_token,
        refresh: storage.kept.refresh_token ?? jar.kept.directus_refresh_token,
        expires: storage.kept.expires, stored: Object.keys(storage.kept), cookies: Object.keys(jar.kept) });

    return {
        login: async () => { await client.login(name, password); return session(); },
        refresh: async () => { await client.refresh(); return session(); },
        logout: async () => { await client.logout(); return { cookies: Object.keys(jar.kept) }; },
        refreshWith: (refresh_token) => {
            if (mode !== "json") jar.kept.directus_refresh_token = refresh_token;
            return mode === "json" ? client.request(sdk.refresh("json", refresh_token)) : client.refresh();
        },
    };
}

function cognito(rotates) {
    const sdk = require("@aws-sdk/client-cognito-identity-provider");
    const client = new sdk.CognitoIdentityProviderClient({ region: "us-east-1", endpoint: `${url}/cognito-idp`,
        maxAttempts: 1, credentials: { accessKeyId: "none", secretAccessKey: "none" } });
    let kept;
    const session = ({ AuthenticationResult: result }) => {
        kept = result.RefreshToken ?? kept;
        return { access: result.AccessToken, refresh: kept, id: result.IdToken, expires: result.ExpiresIn };
    };
    const initiate = async (AuthFlow, AuthParameters) => session(await client.send(
        new sdk.InitiateAuthCommand({ AuthFlow, AuthParameters, ClientId: application })));
    const refreshWith = async (token) => rotates
        ? session(await client.send(new sdk.GetTokensFromRefreshTokenCommand(
            { RefreshToken: token, ClientId: application })))
        : initiate("REFRESH_TOKEN_AUTH", { REFRESH_TOKEN: token });

    return {
        login: () => initiate("USER_PASSWORD_AUTH", { USERNAME: name, PASSWORD: password }),
        refresh: () => refreshWith(kept),
        logout: async () => {
            await client.send(new sdk.RevokeTokenCommand({ Token: kept, ClientId: application }));
        },
        refreshWith,
    };
}

function firebase() {
    const { initializeApp } = require("@firebase/app");
    const sdk = require("@firebase/auth");
    const auth = sdk.getAuth(initializeApp({ apiKey: "a key" }));
    const session = async (user, forced) => ({ access: await user.getIdToken(forced), refresh: user.refreshToken,
        user: { uid: user.uid, email: user.email } });

    sdk.connectAuthEmulator(auth, url, { disableWarnings: true });
    return {
        login: async () => session((await sdk.signInWithEmailAndPassword(auth, name, password)).user, false),
        refresh: () => session(auth.currentUser, true),
        user: async () => { await sdk.reload(auth.currentUser); return { uid: auth.currentUser.uid }; },
    };
}

function auth0() {
    const { AuthenticationClient } = require("auth0");
    const client = new AuthenticationClient({ domain: new URL(url).host, clientId: application, clientSecret: secret });
    let kept;
    const session = ({ data }) => {
        kept = data.refresh_token ?? kept;
        return { access: data.access_token, refresh: kept, expires: data.expires_in, scope: data.scope };
    };
    const refreshWith = async (refresh_token) => session(await client.oauth.refreshTokenGrant({ refresh_token }));

    return {
        login: async () => session(await client.oauth.passwordGrant(
            { username: name, password, scope: "offline_access read" })),
        refresh: () => refreshWith(kept),
        logout: async () => { await client.oauth.revokeRefreshToken({ token: kept }); },
        refreshWith,
    };
}

/* Any OAuth client, told where things are. */
function openid(paths) {
    let library, config, kept;
    const session = (tokens) => {
        kept = tokens.refresh_token;
        return { access: tokens.access_token, refresh: kept, expires: tokens.expires_in, all: tokens };
    };
    const refreshWith = async (token) => session(await library.refreshTokenGrant(config, token));

    return {
        login: async () => {
            library = await import("openid-client");
            config = new library.Configuration({ issuer: url, token_endpoint: url + paths.token,
                revocation_endpoint: url + paths.revoke }, application, {}, library.ClientSecretPost(secret));
            library.allowInsecureRequests(config);
            return session(await library.genericGrantRequest(config, "password",
                { username: name, password, scope: "read write" }));
        },
        refresh: () => refreshWith(kept),
        logout: paths.revoke && (() => library.tokenRevocation(config, kept)),
        refreshWith,
    };
}

function keycloak() {
    const Keycloak = require("keycloak-connect");
    const manager = new Keycloak({}, { realm: "master", "auth-server-url": url, resource: application,
        "public-client": true }).grantManager;
    let grant;
    const session = () => ({ access: grant.access_token.token, refresh: grant.refresh_token.token,
        expires: grant.expires_in, all: JSON.parse(grant.__raw) });

    return {
        login: async () => {
            grant = await manager.obtainDirectly(name, password, undefined, "profile");
            return session();
        },
        refresh: async () => {
            grant.access_token.content.exp = 1; // as if it were over
            grant = await manager.ensureFreshness(grant);
            return session();
        },
    };
}

function azure() {
    const { ConfidentialClientApplication } = require("@azure/msal-node");
    const authority = `${url}/common`;
    const client = new ConfidentialClientApplication({ auth: { clientId: application, clientSecret: secret, authority,
        knownAuthorities: [new URL(url).host], authorityMetadata: JSON.stringify({
            token_endpoint: `${authority}/oauth2/v2.0/token`, authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
            issuer: `${authority}/v2.0`, jwks_uri: `${authority}/discovery/v2.0/keys` }) } });
    const scopes = ["https://api.example/read"];
    const kept = () => Object.values(JSON.parse(client.getTokenCache().serialize()).RefreshToken).at(-1).secret;
    const session = (result) => ({ access: result.accessToken, refresh: kept(), scopes: result.scopes,
        expires: Math.round((result.expiresOn - Date.now()) / 1000) });
    const refreshWith = async (refreshToken) => session(await client.acquireTokenByRefreshToken({ refreshToken, scopes }));

    return {
        login: async () => session(await client.acquireTokenByUsernamePassword({ scopes, username: name, password })),
        refresh: () => refreshWith(kept()),
        refreshWith,
    };
}

/* Its own client has no login by password. */
function okta() {
    const { OktaAuth } = require("@okta/okta-auth-js");
    const issuer = `${url}/oauth2/default`;
    const client = new OktaAuth({ issuer, clientId: application, redirectUri: `${url}/done`, responseType: "token",
        scopes: ["offline_access", "read"], tokenManager: { storage: "memory", autoRenew: false } });
    const session = () => {
        const { accessToken, refreshToken } = client.tokenManager.getTokensSync();
        return { access: accessToken.accessToken, refresh: refreshToken.refreshToken, scopes: accessToken.scopes };
    };
    const keep = (tokens) => { client.tokenManager.setTokens({ ...client.tokenManager.getTokensSync(), ...tokens }); };
    const refreshWith = async (refreshToken) => {
        keep({ refreshToken: { ...client.tokenManager.getTokensSync().refreshToken, refreshToken } });
        keep(await client.token.renewTokens());
        return session();
    };

    return {
        login: async () => {
            const answer = await fetch(`${issuer}/v1/token`, { method: "POST", body: new URLSearchParams(
                { grant_type: "password", client_id: application, username: name, password, scope: "offline_access read" }) });
            const said = await answer.json();
            const common = { scopes: said.scope.split(" "), expiresAt: Date.now() / 1000 + said.expires_in,
                authorizeUrl: `${issuer}/v1/authorize` };

            keep({ accessToken: { ...common, accessToken: said.access_token, tokenType: said.token_type,
                claims: client.token.decode(said.access_token).payload, userinfoUrl: `${issuer}/v1/userinfo` },
            refreshToken: { ...common, refreshToken: said.refresh_token, tokenUrl: `${issuer}/v1/token`, issuer } });
            return session();
        },
        refresh: () => refreshWith(session().refresh),
    };
}

/* One token, which is the client's to forget. */
function pocketbase() {
    const { default: PocketBase } = require("pocketbase");
    const client = new PocketBase(url);
    const users = client.collection("users");
    const session = ({ token, record }) => ({ access: token, user: record, valid: client.authStore.isValid });

    return {
        login: async () => session(await users.authWithPassword(name, password)),
        refresh: async () => session(await users.authRefresh()),
        logout: async () => client.authStore.clear(),
        refreshWith: async () => session(await users.authRefresh()),
    };
}

/* ---- */

const BELOW_KEYCLOAK = "/realms/master/protocol/openid-connect";
const clients = { supabase, firebase, pocketbase, directus: () => directus("json"), "directus-cookie": () => directus("cookie"),
    "directus-session": () => directus("session"), cognito: () => cognito(false), "cognito-rotating": () => cognito(true),
    auth0, azure, keycloak, okta, passport: () => openid({ token: "/oauth/token" }),
    "keycloak-openid": () => openid({ token: `${BELOW_KEYCLOAK}/token`, revoke: `${BELOW_KEYCLOAK}/revoke` }) };

async function show(what, call) {
    let row;

    try {
        row = { said: await call() ?? null };
    } catch (error) {
        row = { refused: { kind: error.kind ?? error.name, code: error.code ?? error.error ?? error.errors?.[0]?.extensions.code,
            status: error.status ?? error.statusCode ?? error.response?.status ?? error.$metadata?.httpStatusCode,
            message: error.message ?? String(error) } };
    }
    console.log(JSON.stringify({ what, ...row }));
    return row.said;
}

(async () => {
    const client = clients[backend]();

    await show("login", client.login);
    await show("refresh", client.refresh);
    const last = await show("refresh again", client.refresh);
    if (client.user) await show("user", client.user);
    if (client.logout) {
        await show("logout", client.logout);
        await show("after the logout", () => client.refreshWith(last.refresh));
    }
    process.exit(0); // the emulator's client keeps a connection
})();
