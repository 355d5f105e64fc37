/* SPDX-License-Identifier: ISC */
/* dialects.js: how each dialect words a refresh request, and where its answer keeps the tokens.
 * Knows the wire. Does not know the page, the network or the meaning of an answer.
 *
 * A request is made of pieces {text, kind} (kind: "", "refresh", "access" or "secret"), so that the page can
 * colour tokens and cover secrets while exactly the same pieces, joined, go on the wire. */

import { read_token } from "./tokens.js";

const FORM_TYPE = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

const piece = (text, kind = "") => ({ text, kind });

export const joined = (pieces) => pieces.map((each) => each.text).join("");

/* application/x-www-form-urlencoded, as URLSearchParams writes it. */
function form_encoded(value) {
    return new URLSearchParams([["", value]]).toString().slice(1);
}

/* rows: [name, value, kind] */
function form_body(rows) {
    return rows.flatMap(([name, value, kind], i) => [
        piece(`${i ? "&" : ""}${form_encoded(name)}=`),
        piece(form_encoded(value), kind),
    ]);
}

function json_body(rows) {
    const members = rows.flatMap(([name, value, kind], i) => [
        piece(`${i ? "," : ""}${JSON.stringify(name)}:"`),
        piece(JSON.stringify(value).slice(1, -1), kind),
        piece('"'),
    ]);
    return [piece("{"), ...members, piece("}")];
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/* Fields the page can show. `wide` ones hold tokens. */
const REFRESH_TOKEN = { name: "refresh_token", label: "Refresh token", wide: true };
const ACCESS_TOKEN = { name: "access_token", label: "Access token", wide: true };
const USERNAME = { name: "username", label: "User name" };
const PASSWORD = { name: "password", label: "Password", secret: true };
const CLIENT_ID = { name: "client_id", label: "Client id" };
const CLIENT_SECRET = { name: "client_secret", label: "Client secret", secret: true };
const optional = (field, help = "optional") => ({ ...field, help });

const ONE_FORM = [{ id: "only", label: "" }];

/* One row per dialect:
 *   forms   the ways a client may word the request; the first is used unless another is chosen
 *   fields  what can be filled in for a form
 *   write   values -> {headers: [[name, pieces]], body: pieces, cookie: pieces or null, user: pieces or null}
 *   refuses whether a refusal is about the token (and not about the client or the request)
 *   keeps   the dialect keeps its refresh token instead of replacing it
 *   begins  whether presenting this token begins a new session (kopong: an access token and a password) */
export const DIALECTS = {
    kopong: {
        title: "kopong",
        summary: "Grails REST security. The refresh token is a JWT that stays the same; each use buys an access token.",
        keeps: true,
        forms: [
            { id: "parameters", label: "Form parameters (as deployed)" },
            { id: "bearer", label: "Bearer and JSON (as documented)" },
        ],
        fields: (form) =>
            form === "bearer"
                ? [{ ...REFRESH_TOKEN, label: "Bearer token", help: "the refresh token, or an expired access token of the same user" }, USERNAME, PASSWORD]
                : [REFRESH_TOKEN],
        write: (form, v) =>
            form === "bearer"
                ? {
                      headers: [
                          ["Authorization", [piece("Bearer "), piece(v.refresh_token, "refresh")]],
                          ["Content-Type", [piece(JSON_TYPE)]],
                      ],
                      body: json_body([["username", v.username], ["password", v.password, "secret"]]),
                  }
                : {
                      headers: [["Content-Type", [piece(FORM_TYPE)]]],
                      body: form_body([["grant_type", "refresh_token"], ["refresh_token", v.refresh_token, "refresh"]]),
                  },
        refuses: (status) => status === 401 || status === 403,
        begins: (token) => read_token(token).payload?.exp !== undefined,
    },
    wirecash: {
        title: "WireCash",
        summary: "One JSON object with user name, access token and refresh token. The refresh token is replaced at each use.",
        forms: ONE_FORM,
        fields: () => [REFRESH_TOKEN, { ...ACCESS_TOKEN, help: "the last one received; it may have expired" }, USERNAME],
        write: (form, v) => ({
            headers: [["Content-Type", [piece(JSON_TYPE)]], ["Accept", [piece(JSON_TYPE)]]],
            body: json_body([
                ["username", v.username],
                ["access_token", v.access_token, "access"],
                ["refresh_token", v.refresh_token, "refresh"],
            ]),
        }),
        refuses: (status) => status === 400,
    },
    duktig: {
        title: "Duktig",
        summary: "The token travels in a Refresh-Token header, the body is empty. It is a JWT that stays the same.",
        keeps: true,
        forms: ONE_FORM,
        fields: () => [REFRESH_TOKEN],
        write: (form, v) => ({
            headers: [["Refresh-Token", [piece(v.refresh_token, "refresh")]], ["Content-Type", [piece(JSON_TYPE)]]],
            body: [],
        }),
        refuses: (status) => status === 401 || status === 403,
    },
    oauth: {
        title: "RFC 6749",
        summary: "OAuth 2.0 refresh grant. The client proves itself; the refresh token is replaced at each use.",
        forms: [
            { id: "basic", label: "Client secret by HTTP Basic" },
            { id: "body", label: "Client secret in the body" },
            { id: "public", label: "Public client, no secret" },
        ],
        fields: (form) => [
            REFRESH_TOKEN,
            form === "public" ? optional(CLIENT_ID) : CLIENT_ID,
            ...(form === "public" ? [] : [CLIENT_SECRET]),
            { name: "scope", label: "Scope", help: "optional: what was granted, or a part of it" },
        ],
        write: (form, v) => {
            const rows = [["grant_type", "refresh_token"], ["refresh_token", v.refresh_token, "refresh"]];
            const headers = [["Content-Type", [piece(FORM_TYPE)]]];
            let user = null;
            if (v.scope)
                rows.push(["scope", v.scope]);
            if (form === "basic") {
                /* RFC 6749 section 2.3.1: both parts are form-encoded before Basic joins them. */
                const id = form_encoded(v.client_id);
                const secret = form_encoded(v.client_secret);
                user = [piece(`${id}:`), piece(secret, "secret")];
                headers.unshift(["Authorization", [piece("Basic "), piece(base64(`${id}:${secret}`), "secret")]]);
            } else if (v.client_id) {
                rows.push(["client_id", v.client_id]);
                if (form === "body")
                    rows.push(["client_secret", v.client_secret, "secret"]);
            }
            return { headers, body: form_body(rows), user };
        },
        refuses: (status, json) => status === 400 && json?.error === "invalid_grant",
    },
    fusionauth: {
        title: "FusionAuth style",
        summary: "Cookie or JSON body. Both tokens come back in the body and as HttpOnly cookies.",
        forms: [
            { id: "json", label: "JSON body" },
            { id: "cookie", label: "Cookies, kept by the browser" },
        ],
        fields: (form) => [REFRESH_TOKEN, ...(form === "json" ? [optional(ACCESS_TOKEN)] : [])],
        write: (form, v) =>
            form === "cookie"
                ? { headers: [], body: [], cookie: [piece("refresh_token="), piece(v.refresh_token, "refresh")] }
                : {
                      headers: [["Content-Type", [piece(JSON_TYPE)]]],
                      body: json_body([
                          ["refreshToken", v.refresh_token, "refresh"],
                          ...(v.access_token ? [["token", v.access_token, "access"]] : []),
                      ]),
                  },
        refuses: (status, json) =>
            status === 401 || (status === 400 && json?.fieldErrors?.refreshToken?.[0]?.code === "[invalid]refreshToken"),
    },
    koppeltaal: {
        title: "Koppeltaal",
        summary: "A form with refresh token and the exact scope of the grant. UUIDs, replaced at each use.",
        forms: ONE_FORM,
        fields: () => [REFRESH_TOKEN, { name: "scope", label: "Scope", help: "exactly as granted; sent even when empty" }],
        write: (form, v) => ({
            headers: [["Content-Type", [piece(FORM_TYPE)]]],
            body: form_body([["grant_type", "refresh_token"], ["refresh_token", v.refresh_token, "refresh"], ["scope", v.scope]]),
        }),
        refuses: (status, json, text) => status === 400 && text.includes("invalid token"),
    },
};

/* The mounts of an installation without a configuration file. */
export const MOUNTS = [
    { path: "/oauth/access_token", dialect: "kopong" },
    { path: "/sandbox/token", dialect: "wirecash" },
    { path: "/production/token", dialect: "wirecash" },
    { path: "/auth/refresh_token", dialect: "duktig" },
    { path: "/oauth/token", dialect: "oauth" },
    { path: "/api/auth/refresh", dialect: "fusionauth" },
    { path: "/api/jwt/refresh", dialect: "fusionauth" },
    { path: "/oauth2/token", dialect: "koppeltaal" },
];

/* Where an answer keeps its tokens; every dialect uses one of these names. "" when there is none. */
export function tokens_of(json) {
    const text = (value) => (typeof value === "string" ? value : "");
    return {
        access: text(json?.access_token) || text(json?.token),
        refresh: text(json?.refresh_token) || text(json?.refreshToken),
    };
}

/* The whole request of a dialect's form at a URL. */
export function request_for(dialect, form, values, url) {
    const written = DIALECTS[dialect].write(form, values);
    return { method: "POST", url, cookie: null, user: null, ...written };
}

/* What goes on the wire, as far as the page decides it. */
export function wire_pieces(request) {
    const length = new TextEncoder().encode(joined(request.body)).length;
    const lines = [[piece(`${request.method} ${request.url.pathname} HTTP/1.1`)], [piece(`Host: ${request.url.host}`)]];
    for (const [name, value] of request.headers)
        lines.push([piece(`${name}: `), ...value]);
    if (request.cookie)
        lines.push([piece("Cookie: "), ...request.cookie]);
    lines.push([piece(`Content-Length: ${length}`)]);
    return [...lines.flatMap((line) => [...line, piece("\n")]), piece("\n"), ...request.body];
}

/* A curl line for a POSIX shell that sends the same. */
export function curl_pieces(request) {
    const quoted = (pieces) => [
        piece("'"),
        ...pieces.map(({ text, kind }) => piece(text.replaceAll("'", "'\\''"), kind)),
        piece("'"),
    ];
    const words = [[piece("curl -i -X POST "), ...quoted([piece(request.url.href)])]];
    if (request.user)
        words.push([piece("-u "), ...quoted(request.user)]);
    for (const [name, value] of request.headers)
        if (!(request.user && name === "Authorization"))
            words.push([piece("-H "), ...quoted([piece(`${name}: `), ...value])]);
    if (request.cookie)
        words.push([piece("-b "), ...quoted(request.cookie)]);
    if (request.body.length)
        words.push([piece("--data-raw "), ...quoted(request.body)]);
    else /* curl -X POST announces no length by itself, and lighttpd answers that with 411 */
        words.push([piece("-H "), ...quoted([piece("Content-Length: 0")])]);
    return words.flatMap((word, i) => (i ? [piece(" \\\n  "), ...word] : word));
}
