/* SPDX-License-Identifier: ISC */
/* fusionauth.js PACKAGE URL APPLICATION NAME PASSWORD: what FusionAuth's own client makes of our
 * answers, from login to logout, one JSON object a line. PACKAGE: which release of it. Knows the
 * client's calls; judges nothing. */
"use strict";

const [, , name, url, applicationId, loginId, password] = process.argv;
const { FusionAuthClient } = require(name);
const client = new FusionAuthClient("an API key", url);

/** Prints what a call resolves to, or is rejected with; gives the body. */
async function show(what, call) {
    const answer = await call.catch((refused) => refused);
    const { exception } = answer;
    console.log(JSON.stringify({
        what,
        status: answer.statusCode,
        response: answer.response ?? null,
        exception: exception === undefined ? null : exception.message ?? exception,
    }));
    return answer.response;
}

const refresh = (what, refreshToken) => show(what, client.exchangeRefreshTokenForJWT({ refreshToken }));

(async () => {
    const login = await show("login", client.login({ loginId, password, applicationId }));
    const second = await refresh("refresh", login.refreshToken);
    await refresh("refresh again", second.refreshToken);
    await show("logout", client.logout(false, second.refreshToken));
    await refresh("after the logout", second.refreshToken);
    await show("logout again", client.logout(false, second.refreshToken));

    const phone = await show("login without application", client.login({ loginId, password }));
    const desk = await show("login once more", client.login({ loginId, password }));
    await show("global logout", client.logout(true, phone.refreshToken));
    await refresh("after the global logout", desk.refreshToken);

    await show("wrong password", client.login({ loginId, password: "wrong", applicationId }));
    // another each time: more than five wrong ones in a row would be slowed
    await show("unknown user", client.login({ loginId: `no one ${process.pid}`, password, applicationId }));
    await show("unknown application", client.login({ loginId, password, applicationId: "none" }));
    await show("nothing", client.login({}));
    await refresh("foreign token", "not one of ours");
    await refresh("no token", undefined);
    await show("logout without token", client.logout(undefined, undefined));
})();
