/* SPDX-License-Identifier: ISC */
/* fusionauth.js PACKAGE URL REFRESH_TOKEN: what FusionAuth's own client makes of our answers, one
 * JSON object a line. PACKAGE: which release of it. Knows the client's calls; judges nothing. */
"use strict";

const [, , name, url, refreshToken] = process.argv;
const { FusionAuthClient } = require(name);
const client = new FusionAuthClient("an API key", url);

/** Prints what a call resolves to, or is rejected with. */
async function show(call) {
    const answer = await call.catch((refused) => refused);
    console.log(JSON.stringify({
        status: answer.statusCode,
        response: answer.response ?? null,
        exception: answer.exception === undefined ? null : answer.exception.message ?? answer.exception,
    }));
    return answer;
}

(async () => {
    const first = await show(client.exchangeRefreshTokenForJWT({ refreshToken }));
    await show(client.exchangeRefreshTokenForJWT({ refreshToken: first.response.refreshToken }));
    await show(client.exchangeRefreshTokenForJWT({ refreshToken: "not one of ours" }));
    await show(client.exchangeRefreshTokenForJWT({}));
})();
