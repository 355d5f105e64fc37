/* SPDX-License-Identifier: ISC */
/* chain.js: the refresh tokens of one session in the order they were received, and what an answer means for
 * them: the table of the design (replay, reuse, revoke), seen from the client's side. Knows neither the page nor
 * the network nor any dialect. */

import { read_token, same_claims } from "./tokens.js";

/* A link: one refresh token, the access token that came with it, and what became of it. */
const link = (token, access, answer = null) => ({ token, access, answer, renewals: 0, replays: 0, back: false });

/* A session remembers when each of its last 8 spent tokens was spent; an older one has no window left. */
const REMEMBERED = 8;

export function chain_begin(token, access) {
    return { links: [link(token, access)], ended: false, rotates: null };
}

export const chain_last = (chain) => chain.links.at(-1);

export const chain_find = (chain, token) => chain.links.findLastIndex((each) => each.token === token);

/* The generation of a link: from a native token itself, else counted. */
export function chain_generation(chain, index) {
    const read = read_token(chain.links[index].token);
    return read.shape === "native" ? read.generation : index;
}

/* "current"; "replayed": the one before it, presented again; "spent"; "reused": came back too late; "revoked" */
export function chain_state(chain, index) {
    const each = chain.links[index];
    if (each.back)
        return "reused";
    if (index === chain.links.length - 1)
        return chain.ended ? "revoked" : "current";
    return each.replays && index === chain.links.length - 2 && !chain.ended ? "replayed" : "spent";
}

/* exchange: {sent, status, granted, about_token, access, refresh}
 * Takes it over and says what happened: {kind, kept, says}; kept: true as promised, false not, null no promise. */
export function chain_take(chain, exchange) {
    const at = chain_find(chain, exchange.sent);
    if (exchange.status === 0)
        return verdict("lost", null, "No answer arrived; sending again is safe, for the same token gets the same answer.");
    if (exchange.status >= 500)
        return verdict("fault", null, "Something broke on the server; by its promise the token was not spent, so send it again.");
    if (!exchange.granted)
        return take_refusal(chain, at, exchange);
    if (at === chain.links.length - 1)
        return take_renewal(chain, at, exchange);
    if (at >= chain.links.length - 1 - REMEMBERED)
        return take_replay(chain, at, exchange);
    return verdict("reuse", false, "Accepted, though this token was spent long ago: that should not happen.");
}

const verdict = (kind, kept, says) => ({ kind, kept, says });

function take_renewal(chain, at, exchange) {
    const now = chain.links[at];
    const survived = chain.ended;
    now.renewals++;
    chain.ended = false;
    if (!exchange.refresh || exchange.refresh === exchange.sent) {
        chain.rotates = false;
        now.access = exchange.access;
        return now.renewals === 1
            ? verdict("renew", true, "Renewed: this mount keeps its refresh token, so only the access token is new.")
            : verdict("renew", true, "Renewed again: the same token buys access tokens until its session ends.");
    }
    chain.rotates = true;
    chain.links.push(link(exchange.refresh, exchange.access, exchange));
    if (survived)
        return verdict("successor", null, "The newest token still works: this mount reports a reuse without ending the session.");
    const generation = chain_generation(chain, at + 1);
    return verdict("renew", true, `Renewed: generation ${generation} is your token now; by design it was on disk before this answer left.`);
}

function take_replay(chain, at, exchange) {
    const first = chain_last(chain);
    chain.links[at].replays++;
    if (exchange.refresh === first.token && same_claims(exchange.access, first.access)) {
        exchange.same_as = first.answer;
        exchange.same = exchange.access === first.access
            ? "Both tokens are identical"
            : "The refresh token and every claim are identical (this algorithm signs with fresh randomness)";
        return verdict("replay", true, `Same token, same answer: ${lower(exchange.same)}, so a lost response or a second tab logs no one out.`);
    }
    return verdict("replay", false, "Accepted, but with another answer than the first time: two clients would now disagree.");
}

const lower = (text) => text[0].toLowerCase() + text.slice(1);

function take_refusal(chain, at, exchange) {
    const last = chain.links.length - 1;
    if (!exchange.about_token)
        return verdict("refused", null, `Refused with ${exchange.status} before the token was looked at, so nothing was spent: check the fields and the path.`);
    if (at === last)
        return chain.ended
            ? verdict("successor", true, "The newest token is dead too: the thief and the owner must both log in again.")
            : verdict("refused", null, "Refused: the server does not accept this token; it is unknown here, expired, or its session has ended.");
    chain.links[at].back = true;
    chain.ended = true;
    return at === last - 1
        ? verdict("reuse", null, "Refused: the time for repeating this token is over, so it counts as copied and its session was revoked.")
        : verdict("reuse", true, "Refused: this token was spent before, so it counts as copied; by design its session was revoked before this answer left.");
}
