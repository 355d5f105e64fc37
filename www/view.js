/* SPDX-License-Identifier: ISC */
/* view.js: small pieces of page made from plain values: pieces of a request, decoded tokens, the chain, the
 * log. Text from outside goes in as text, never as markup. Keeps no state and sends nothing. */

import { chain_generation, chain_state } from "./chain.js";

/* An element: h("p", {class: "help", hidden: true}, "text", child, …). */
export function h(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (key.startsWith("on"))
            element.addEventListener(key.slice(2), value);
        else if (value === true)
            element.setAttribute(key, "");
        else if (value !== false && value !== null && value !== undefined)
            element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
}

const COVER = "••••••••";

/* Pieces of a request as coloured text; secrets covered unless shown. */
export function show_pieces(element, pieces, secrets_shown) {
    element.replaceChildren(
        ...pieces
            .filter(({ text }) => text)
            .map(({ text, kind }) =>
                kind ? h("span", { class: `is-${kind}` }, kind === "secret" && !secrets_shown ? COVER : text) : text,
            ),
    );
}

/* Splits an answer at the tokens in it, so that they can be coloured. */
export function pieces_of(text, { access, refresh }) {
    const pieces = [];
    let rest = text;
    while (rest) {
        const found = [[access, "access"], [refresh, "refresh"]]
            .filter(([token]) => token && rest.includes(token))
            .sort(([one], [other]) => rest.indexOf(one) - rest.indexOf(other))[0];
        if (!found)
            break;
        const [token, kind] = found;
        const at = rest.indexOf(token);
        pieces.push({ text: rest.slice(0, at), kind: "" }, { text: token, kind });
        rest = rest.slice(at + token.length);
    }
    return [...pieces, { text: rest, kind: "" }];
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const CALENDAR = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const clock_time = (date) => CLOCK.format(date);

/* Seconds since 1970 as "20 Nov 2026, 11:20:05 (in 59 minutes)", without the day when it is today. */
export function readable_time(seconds, now = Date.now() / 1000) {
    const date = new Date(seconds * 1000);
    if (Number.isNaN(date.getTime()))
        return "no time";
    const away = seconds - now;
    const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60]].find((row) => Math.abs(away) >= row[1]) ?? ["second", 1];
    const today = date.toDateString() === new Date(now * 1000).toDateString();
    return `${(today ? CLOCK : CALENDAR).format(date)} (${RELATIVE.format(Math.trunc(away / size), unit)})`;
}

const TIMES = new Set(["exp", "iat", "nbf", "auth_time"]);
const LONGEST = 120;

/* An object as readable JSON, one element per line, its times explained, over-long strings cut short. */
function json_view(object) {
    const line = (text, remark) =>
        h("span", { class: "member" }, ...keyed(text), remark ? h("span", { class: "remark" }, `  ${remark}`) : null);
    const members = Object.entries(object).flatMap(([key, value], i, all) => {
        const long = typeof value === "string" && value.length > LONGEST;
        const text = JSON.stringify({ [key]: long ? `${value.slice(0, 24)}…` : value }, null, 2).slice(2, -2);
        const lines = `${text}${i < all.length - 1 ? "," : ""}`.split("\n");
        const remark = TIMES.has(key) && typeof value === "number" ? readable_time(value) : long ? `${value.length} characters` : "";
        return lines.map((each, n) => line(each, n === lines.length - 1 ? remark : ""));
    });
    return h("pre", { class: "json", tabindex: "0" }, line("{"), ...members, line("}"));
}

/* A line of JSON with its key, if it has one, marked. */
function keyed(text) {
    const [, space, key, rest] = /^(\s*)("(?:[^"\\]|\\.)*")(:.*)$/.exec(text) ?? [];
    return key ? [space, h("span", { class: "key" }, key), rest] : [text];
}

const facts = (rows) =>
    h("dl", { class: "facts" }, ...rows.map(([name, value, css]) => h("div", {}, h("dt", {}, name), h("dd", { class: css }, value))));

const SHAPES = {
    jwt: "JSON Web Token",
    native: "Derived token: nothing about it is stored",
    uuid: "UUID, found through the alias index",
    opaque: "Opaque: only the server can read it",
    none: "None yet",
};

/* A token from read_token, decoded. verdict: {state, says} of check_signature, or null. */
export function token_view(read, verdict) {
    const nodes = [h("p", { class: "lead" }, SHAPES[read.shape])];
    if (read.shape === "jwt") {
        if (verdict)
            nodes.push(h("p", { class: `verdict ${verdict.state}`, "data-state": verdict.state }, verdict.says));
        nodes.push(h("h3", {}, "Header"), json_view(read.header), h("h3", {}, "Payload"), json_view(read.payload));
    }
    if (read.shape === "native")
        nodes.push(facts([
            ["Version", String(read.version)],
            ["Key id", String(read.key)],
            ["Session", read.session, "mono"],
            ["Begun", read.begun_s === null ? "not a time-ordered id" : readable_time(read.begun_s)],
            ["Generation", String(read.generation), "mono"],
            ["MAC", read.mac, "mono"],
        ]));
    return nodes;
}

const masked = (token) => (token.length > 16 ? `${token.slice(0, 4)}…${token.slice(-4)}` : "…");

const STATES = {
    current: ["●", "current", "the one to present next"],
    replayed: ["↻", "replayed", "gives the same answer for a while"],
    spent: ["○", "spent", "presenting it ends the session"],
    reused: ["!", "came back", "taken for a copied token"],
    revoked: ["×", "revoked", "dead with its session"],
};

/* What presenting a link's token would do now. */
function prospect(chain, i, meaning) {
    const each = chain.links[i];
    if (chain.ended && !each.back)
        return STATES.revoked[2];
    if (chain.rotates === false)
        return each.renewals ? `renewed ${each.renewals}×, stays good` : meaning;
    return i === chain.links.length - 2 ? STATES.replayed[2] : meaning;
}

/* The chain as list items. */
export function chain_view(chain, revealed) {
    return chain.links.map((each, i) => {
        const state = chain_state(chain, i);
        const [sign, word, meaning] = STATES[state];
        return h("li", { class: `link ${state}`, "data-state": state },
            h("span", { class: "dot", "aria-hidden": "true" }, sign),
            h("div", { class: "link-text" },
                h("p", { class: "link-name" }, `Generation ${chain_generation(chain, i)} `, h("strong", {}, word)),
                h("p", { class: "help" }, prospect(chain, i, meaning)),
                h("code", { class: "is-refresh link-token" }, revealed ? each.token : masked(each.token))));
    });
}

const TONES = { true: "good", false: "bad", null: "unknown" };

/* What was sent so far; choose(i) shows an exchange again. */
export function log_view(exchanges, chosen, choose) {
    return exchanges.map((each, i) =>
        h("li", {},
            h("button", { type: "button", class: "entry", "aria-pressed": String(i === chosen), onclick: () => choose(i) },
                h("span", { class: "entry-number" }, String(i + 1)),
                h("span", { class: `status s${Math.trunc(each.status / 100)}` }, each.status ? String(each.status) : "–"),
                h("span", { class: `entry-says ${TONES[each.verdict.kept]}` }, each.verdict.says))));
}

