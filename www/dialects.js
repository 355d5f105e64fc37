/* SPDX-License-Identifier: ISC */
/* dialects.js: makes the requests that dialects.json describes, and finds the tokens in their answers.
 * Knows how a description is read (src/dialect/README says how one is written). Does not know any
 * dialect, the page or the meaning of an answer.
 *
 * A request is made of pieces {text, kind} (kind: "", "refresh", "access" or "secret"), so that the page can
 * colour tokens and cover secrets while exactly the same pieces, joined, go on the wire. */

const FORM_TYPE = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

/* name -> description, in the order in which the page shows them. */
export const DIALECTS = await (await fetch(new URL("dialects.json", import.meta.url))).json();

/* The mounts of an installation without a configuration file. */
export const MOUNTS = Object.entries(DIALECTS).flatMap(([dialect, { paths }]) => paths.map((path) => ({ path, dialect })));

const piece = (text, kind = "") => ({ text, kind });

export const joined = (pieces) => pieces.map((each) => each.text).join("");

/* application/x-www-form-urlencoded, as URLSearchParams writes it. */
function form_encoded(value) {
    return new URLSearchParams([["", value]]).toString().slice(1);
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

const json_encoded = (value) => JSON.stringify(value).slice(1, -1);

/* ---- fields ---- */

/* `wide` fields hold tokens, `secret` ones are covered. */
const FIELDS = {
    refresh_token: { label: "Refresh token", wide: true, kind: "refresh" },
    access_token: { label: "Access token", wide: true, kind: "access" },
    username: { label: "User name" },
    password: { label: "Password", secret: true, kind: "secret" },
    client_id: { label: "Client id" },
    client_secret: { label: "Client secret", secret: true, kind: "secret" },
    scope: { label: "Scope" },
};

export const form_of = (dialect, id) => DIALECTS[dialect].forms.find((form) => form.id === id);

/* What can be filled in for a form: [{name, label, help, wide, secret}]. */
export function fields_of(dialect, id) {
    return form_of(dialect, id).fields
        .map((field) => (typeof field === "string" ? { name: field } : field))
        .map((field) => ({ ...FIELDS[field.name], ...field }));
}

/* The command line options that a session of this dialect needs. */
export function session_needs(dialect) {
    const { forms, session } = DIALECTS[dialect];
    const always = (name) => forms[0].form?.some(([key, , optional]) => key === name && !optional);
    return {
        client: forms.some((form) => form.fields.includes("client_id")),
        scope: always("scope") ? session.scope : null,
    };
}

/* ---- requests ---- */

/* "Bearer {refresh_token}" with what the fields hold, each value encoded. */
function filled(template, values, encoded = (value) => value) {
    return template.split(/\{(\w+)\}/).map((part, i) =>
        i % 2 ? piece(encoded(values[part]), FIELDS[part].kind ?? "") : piece(part)).filter(({ text }) => text);
}

/* The rows that are sent: an optional one is left out when it would be empty. */
const sent_rows = (rows, values) => rows.filter(([, template, optional]) => !optional || joined(filled(template, values)));

function form_body(rows, values) {
    return sent_rows(rows, values).flatMap(([name, template], i) =>
        [piece(`${i ? "&" : ""}${form_encoded(name)}=`), ...filled(template, values, form_encoded)]);
}

function json_body(rows, values) {
    const members = sent_rows(rows, values).flatMap(([name, template], i) =>
        [piece(`${i ? "," : ""}${JSON.stringify(name)}:"`), ...filled(template, values, json_encoded), piece('"')]);
    return [piece("{"), ...members, piece("}")];
}

function cookie_pieces(rows, values) {
    return rows.flatMap(([name, template], i) => [piece(`${i ? "; " : ""}${name}=`), ...filled(template, values)]);
}

/* RFC 6749 section 2.3.1: both parts are form-encoded before Basic joins them. */
function user_pieces(templates, values) {
    const [id, secret] = templates.map((template) => joined(filled(template, values, form_encoded)));
    return [piece(`${id}:`), piece(secret, "secret")];
}

/* The whole request of a dialect's form at a URL:
 * {method, url, headers: [[name, pieces]], body: pieces, cookie: pieces or null, user: pieces or null} */
export function request_for(dialect, id, values, url) {
    const form = form_of(dialect, id);
    const headers = (form.headers ?? []).map(([name, template]) => [name, filled(template, values)]);
    const user = form.basic ? user_pieces(form.basic, values) : null;
    if (user)
        headers.unshift(["Authorization", [piece("Basic "), piece(base64(joined(user)), "secret")]]);
    if (form.form || form.json)
        headers.push(["Content-Type", [piece(form.form ? FORM_TYPE : JSON_TYPE)]]);
    const body = form.form ? form_body(form.form, values) : form.json ? json_body(form.json, values) : [];
    const cookie = form.cookies ? cookie_pieces(form.cookies, values) : null;
    return { method: "POST", url, headers, body, cookie, user };
}

/* ---- answers ---- */

/* Where an answer keeps its tokens, and what `retoken session create --json` prints. "" when there is none. */
export function tokens_of(json) {
    const rows = Object.values(DIALECTS).map(({ answer }) => answer);
    const first = (names) => names.map((name) => json?.[name]).find((value) => typeof value === "string" && value) ?? "";
    return {
        access: first(rows.map(({ access }) => access)),
        refresh: first(rows.map(({ refresh }) => refresh)),
    };
}

/* Whether a refusal is about the token, and not about the client or the request. */
export function refuses_token(dialect, status, text) {
    return DIALECTS[dialect].refused.some((row) => row.status === status && text.includes(row.body ?? ""));
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
