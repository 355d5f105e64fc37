/* SPDX-License-Identifier: ISC */
/* dpop.mjs LIBRARY URL ISSUER NAME PASSWORD: what an OAuth library with a DPoP key of its own makes of our
 * answers, one JSON object a line. Knows the calls of the libraries; judges nothing. */
import * as oauth4webapi from "oauth4webapi";
import * as openidClient from "openid-client";

const [, , library, url, issuer, username, password] = process.argv;
const server = { issuer, token_endpoint: `${url}/oauth/token` };
const id = "phone";

async function withOpenidClient() {
    const config = new openidClient.Configuration(server, id, {}, openidClient.None());
    openidClient.allowInsecureRequests(config); // 127.0.0.1 needs no TLS
    const DPoP = openidClient.getDPoPHandle(config, await openidClient.randomDPoPKeyPair());

    return {
        logIn: () => openidClient.genericGrantRequest(config, "password", { username, password }, { DPoP }),
        refresh: (token) => openidClient.refreshTokenGrant(config, token, undefined, { DPoP }),
    };
}

async function withOauth4webapi() {
    const client = { client_id: id };
    const options = {
        [oauth4webapi.allowInsecureRequests]: true,
        DPoP: oauth4webapi.DPoP(client, await oauth4webapi.generateKeyPair("ES256")),
    };
    const proof = oauth4webapi.None();
    /** As its documentation has it: once more with the nonce that was told. */
    const again = async (call) => {
        try {
            return await call();
        } catch (refused) {
            if (!oauth4webapi.isDPoPNonceError(refused)) {
                throw refused;
            }
            return call();
        }
    };

    return {
        logIn: () => again(async () => oauth4webapi.processGenericTokenEndpointResponse(server, client,
            await oauth4webapi.genericTokenEndpointRequest(server, client, proof, "password", { username, password },
                options))),
        refresh: (token) => again(async () => oauth4webapi.processRefreshTokenResponse(server, client,
            await oauth4webapi.refreshTokenGrantRequest(server, client, proof, token, options))),
    };
}

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
const owner = await connect();
const thief = await connect();
const first = await show("login", owner.logIn);
await show("thief", () => thief.refresh(first.refresh_token));
const second = await show("refresh", () => owner.refresh(first.refresh_token));
await show("refresh again", () => owner.refresh(second.refresh_token));
