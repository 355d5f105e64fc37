/* SPDX-License-Identifier: ISC */
/* dialects.js: makes the requests that dialects.json describes, and described.json where there is one (`retoken
 * dialects --page` prints it), and finds the tokens in their answers.
 * Knows how a description is read (src/dialect/README says how one is written). Does not know any
 * dialect, the page or the meaning of an answer.
 *
 * A request is made of pieces {text, kind} (kind: "", "refresh", "access" or "secret"), so that the page can
 * colour tokens and cover secrets while exactly the same pieces, joined, go on the wire. */

const FORM_TYPE = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

async function described() {
    const response = await fetch(new URL("described.json", import.meta.url));
    return response.ok ? response.json() : {};
}

/* name -> description, in the order in which the page shows them. */
export const DIALECTS = { ...await (await fetch(new URL("dialects.json", import.meta.url))).json(), ...await described() };

/* The mounts of an installation without a configuration file, and those of dialects that files describe, which only a
 * configuration has: at a path that both have it is they who answer. */
export const MOUNTS = [...new Map(Object.entries(DIALECTS).flatMap(([dialect, { paths }]) =>
    paths.map((path) => [path, { path, dialect }]))).values()];

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
    auth_key: { label: "Application key", secret: true, kind: "secret" },
    scope: { label: "Scope" },
};

export const FIELD_NAMES = Object.keys(FIELDS);

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

/* A name is a member, or the way to one: an array of members. */
function json_body(rows, values) {
    return json_object(sent_rows(rows, values).map(([name, template]) =>
        [[name].flat(), [piece('"'), ...filled(template, values, json_encoded), piece('"')]]));
}

/* Of [way, pieces]: those that begin with one member are together, where the first of them is. */
function json_object(members) {
    const names = [...new Set(members.map(([[name]]) => name))];
    return [piece("{"), ...names.flatMap((name, i) => {
        const inside = members.filter(([[first]]) => first === name).map(([way, pieces]) => [way.slice(1), pieces]);
        const [[way, value]] = inside;
        return [piece(`${i ? "," : ""}${JSON.stringify(name)}:`), ...(way.length ? json_object(inside) : value)];
    }), piece("}")];
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
 * {method, url, target: pieces, headers: [[name, pieces]], body: pieces, cookie: pieces or null, user: pieces or null} */
export function request_for(dialect, id, values, url) {
    const form = form_of(dialect, id);
    const headers = sent_rows(form.headers ?? [], values).map(([name, template]) => [name, filled(template, values)]);
    const user = form.basic ? user_pieces(form.basic, values) : null;
    if (user)
        headers.unshift(["Authorization", [piece("Basic "), piece(base64(joined(user)), "secret")]]);
    if (form.form || form.json)
        headers.push(["Content-Type", [piece(form.form ? FORM_TYPE : JSON_TYPE)]]);
    const body = form.form ? form_body(form.form, values) : form.json ? json_body(form.json, values) : [];
    const cookie = form.cookies ? cookie_pieces(form.cookies, values) : null;
    const query = form_body(form.query ?? [], values);
    const target = [piece(url.pathname), ...(query.length ? [piece("?"), ...query] : [])];
    const asked = new URL(url);
    asked.search = joined(query);
    return { method: form.method ?? "POST", url: asked, target, headers, body, cookie, user };
}

/* ---- answers ---- */

/* The text at the end of a way: a member, or an array of members and places in arrays. "" when there is none. */
function text_at(json, way) {
    const found = [way ?? []].flat().reduce((value, step) => value?.[step], json);
    return typeof found === "string" ? found : "";
}

/* The tokens in the answer to a dialect's form. */
export function tokens_of(json, dialect, id) {
    const { access, refresh } = form_of(dialect, id).answer ?? DIALECTS[dialect].answer;
    return { access: text_at(json, access), refresh: text_at(json, refresh) };
}

/* What `retoken session create --json` prints, or an answer of any dialect. */
export function tokens_in(json) {
    const found = Object.entries(DIALECTS).flatMap(([dialect, { forms }]) => forms.map(({ id }) => tokens_of(json, dialect, id)));
    const first = (kind) => text_at(json, `${kind}_token`) || (found.find((one) => one[kind])?.[kind] ?? "");
    return { access: first("access"), refresh: first("refresh") };
}

/* Whether a refusal is about the token, and not about the client or the request. */
export function refuses_token(dialect, status, text) {
    return DIALECTS[dialect].refused.some((row) => row.status === status && text.includes(row.body ?? ""));
}

/* What goes on the wire, as far as the page decides it. */
export function wire_pieces(request) {
    const length = new TextEncoder().encode(joined(request.body)).length;
    const lines = [[piece(`${request.method} `), ...request.target, piece(" HTTP/1.1")], [piece(`Host: ${request.url.host}`)]];
    for (const [name, value] of request.headers)
        lines.push([piece(`${name}: `), ...value]);
    if (request.cookie)
        lines.push([piece("Cookie: "), ...request.cookie]);
    if (request.method !== "GET")
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
    const words = [[piece(`curl -i -X ${request.method} `), ...quoted([piece(request.url.origin), ...request.target])]];
    if (request.user)
        words.push([piece("-u "), ...quoted(request.user)]);
    for (const [name, value] of request.headers)
        if (!(request.user && name === "Authorization"))
            words.push([piece("-H "), ...quoted([piece(`${name}: `), ...value])]);
    if (request.cookie)
        words.push([piece("-b "), ...quoted(request.cookie)]);
    if (request.body.length)
        words.push([piece("--data-raw "), ...quoted(request.body)]);
    else if (request.method !== "GET") /* curl -X POST announces no length by itself, and lighttpd answers that with 411 */
        words.push([piece("-H "), ...quoted([piece("Content-Length: 0")])]);
    return words.flatMap((word, i) => (i ? [piece(" \\\n  "), ...word] : word));
}
