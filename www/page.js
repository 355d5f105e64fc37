/* SPDX-License-Identifier: ISC */
/* page.js: wires the page: which mount is chosen, what its fields hold, what was sent and what came back. All
 * state is in `page` below and ends with the tab. Wording of requests: dialects.js; meaning of answers: chain.js;
 * reading tokens: tokens.js; drawing: view.js. */

import { chain_begin, chain_find, chain_last, chain_take } from "./chain.js";
import {
    DIALECTS, FIELD_NAMES, MOUNTS, curl_pieces, fields_of, form_of, joined, refuses_token, request_for, session_needs, tokens_in, tokens_of,
    wire_pieces,
} from "./dialects.js";
import { check_signature, read_token } from "./tokens.js";
import { chain_view, clock_time, h, log_view, pieces_of, show_pieces, token_view } from "./view.js";

const at = (id) => document.getElementById(id);

/* A place is a mount as the page uses it: its fields, its chain, its exchanges. */
function place_make({ path, dialect, ...given }) {
    return {
        path,
        dialect,
        custom: false,
        form: DIALECTS[dialect].forms[0].id,
        values: Object.fromEntries(FIELD_NAMES.map((name) => [name, typeof given[name] === "string" ? given[name] : ""])),
        chain: null,
        exchanges: [],
        chosen: -1,
    };
}

const page = {
    places: [],
    place: null,
    account: "ada",
    secrets_shown: false,
    revealed: false,
    busy: false,
    keys: null,      /* promise of the JWKS' keys */
    cookie_holds: "" /* the refresh token that the browser's cookie was last given by an answer */,
};

/* ---- where to ask ---- */

function prefix() {
    const text = at("prefix").value.trim().replace(/\/+$/, "");
    return text && !text.startsWith("/") ? `/${text}` : text;
}

/* Same origin whatever is typed: a path can name no other host. */
function url_of(path) {
    const url = new URL(location.origin);
    url.pathname = prefix() + (path.startsWith("/") ? path : `/${path}`);
    return url;
}

async function json_at(url) {
    try {
        const response = await fetch(url, { credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" });
        return response.ok ? await response.json() : null;
    } catch {
        return null;
    }
}

async function fetch_keys() {
    const set = await json_at(url_of("/.well-known/jwks.json"));
    return Array.isArray(set?.keys) ? set.keys : null;
}

/* The published keys; asked again when an answer's token names one that is not among them, for keys rotate. */
async function keys_for(kid, of_answer) {
    page.keys ??= fetch_keys();
    const keys = await page.keys;
    if (of_answer && !keys?.some((key) => kid === undefined || key?.kid === kid))
        page.keys = fetch_keys();
    return page.keys;
}

/* ---- sending ---- */

/* The browser adds the cookie itself. It can be planted here only while no answer has set an HttpOnly one, which
 * scripts cannot see or replace. False: the browser keeps another cookie than this token. */
function plant_cookie(cookie, token) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${cookie}; Path=/; SameSite=Lax${secure}`;
    return document.cookie.split("; ").includes(cookie) || page.cookie_holds === token;
}

/* Sends one request and gives what came back: never throws. */
async function exchange_run(request, sent, dialect, form) {
    const with_cookie = request.cookie !== null;
    const started = performance.now();
    const exchange = { request, sent, status: 0, line: "No answer", headers: [], text: "", bytes: 0, at: new Date() };
    try {
        const response = await fetch(request.url, {
            method: request.method,
            headers: request.headers.map(([name, value]) => [name, joined(value)]),
            body: request.body.length ? joined(request.body) : undefined,
            /* "omit" also keeps the browser's own password dialog away from a 401 */
            credentials: with_cookie ? "same-origin" : "omit",
            cache: "no-store",
            redirect: "error",
            referrerPolicy: "no-referrer",
        });
        const body = await response.arrayBuffer();
        exchange.bytes = body.byteLength;
        exchange.text = new TextDecoder().decode(body);
        exchange.status = response.status;
        exchange.line = `${protocol_of(request.url)} ${response.status} ${response.statusText}`.trim();
        exchange.headers = [...response.headers];
    } catch (error) {
        exchange.text = String(error);
    }
    exchange.took_ms = performance.now() - started;
    exchange.json = parsed(exchange.text);
    Object.assign(exchange, tokens_of(exchange.json, dialect, form));
    exchange.granted = exchange.status >= 200 && exchange.status < 300 && exchange.access !== "";
    exchange.about_token = refuses_token(dialect, exchange.status, exchange.text);
    if (with_cookie && exchange.granted)
        page.cookie_holds = exchange.refresh;
    return exchange;
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

const PROTOCOLS = { "http/1.0": "HTTP/1.0", "http/1.1": "HTTP/1.1", h2: "HTTP/2", h3: "HTTP/3" };

/* fetch does not tell it; the timing of the request does, and of the page itself where that is not there yet. */
function protocol_of(url) {
    const entry = performance.getEntriesByName(url.href).at(-1) ?? performance.getEntriesByType("navigation")[0];
    return PROTOCOLS[entry?.nextHopProtocol] ?? "HTTP";
}

/* Presents one token at the chosen mount and takes the answer over. `again`: the link whose token is presented,
 * or null for what the fields hold. */
async function present(again) {
    const place = page.place;
    const by_cookie = (id) => form_of(place.dialect, id).cookies !== undefined;
    let form = place.form;
    const values = { ...place.values };
    let remark = "";
    if (again) {
        values.refresh_token = again.token;
        values.access_token = again.access || values.access_token;
        /* the browser's cookie is always the newest, so an older token goes in the body */
        if (by_cookie(form) && again !== chain_last(place.chain))
            form = DIALECTS[place.dialect].forms.find((each) => !each.cookies)?.id ?? form;
    }
    const request = request_for(place.dialect, form, values, url_of(place.path));
    if (request.cookie && values.refresh_token && !plant_cookie(joined(request.cookie), values.refresh_token))
        remark = " (The browser sent an HttpOnly cookie it already held, not the token in the field: choose the JSON body, or clear this site’s cookies.)";

    const sent = values.refresh_token;
    if (!place.chain || chain_find(place.chain, sent) < 0)
        place.chain = chain_begin(sent, values.access_token);
    const exchange = await exchange_run(request, sent, place.dialect, form);

    if (exchange.granted && form_of(place.dialect, form).access_token_begins && read_token(sent).payload?.exp !== undefined) {
        place.chain = chain_begin(exchange.refresh, exchange.access);
        exchange.verdict = { kind: "begin", kept: null, says: "The password proved the user, so a new session begins: this is its refresh token." };
    } else {
        exchange.verdict = chain_take(place.chain, exchange);
    }
    exchange.verdict.says += remark;
    place.exchanges.push(exchange);
    place.chosen = place.exchanges.length - 1;
    if (exchange.granted) {
        const newest = chain_last(place.chain);
        place.values.refresh_token = newest.token;
        place.values.access_token = newest.access;
    }
    if (place === page.place)
        draw();
    return exchange;
}

/* ---- the experiment ---- */

async function send() {
    await present(null);
}

/* The token that the newest answer was bought with; the kept token where the mount does not rotate. */
function replayable(chain) {
    if (!chain || chain.ended)
        return null;
    if (chain.rotates === false)
        return chain_last(chain);
    return chain.links.at(-2) ?? null;
}

async function replay() {
    await present(replayable(page.place.chain));
}

/* The oldest token comes back after a second renewal. Within its window it is answered; after it, it ends the
 * session, which the newest token then shows. */
async function reuse() {
    const chain = page.place.chain;
    while (chain.links.length < 3) {
        const renewed = await present(chain_last(chain));
        if (!renewed.granted || page.place.chain !== chain)
            return;
    }
    const refused = await present(chain.links[0]);
    if (!refused.granted && refused.about_token)
        await present(chain_last(chain));
}

async function busily(step) {
    if (page.busy)
        return;
    page.busy = true;
    at("steps").setAttribute("aria-busy", "true");
    try {
        await step();
    } finally {
        page.busy = false;
        at("steps").setAttribute("aria-busy", "false");
    }
}

/* ---- drawing ---- */

function draw() {
    draw_request();
    draw_steps();
    draw_log();
    draw_chain();
    draw_answer();
}

const WIRE_NOTE = "and what the browser adds by itself: Origin, User-Agent, Accept, …";

function draw_request() {
    const place = page.place;
    const request = request_for(place.dialect, place.form, place.values, url_of(place.path));
    show_pieces(at("wire"), wire_pieces(request), page.secrets_shown);
    show_pieces(at("curl"), curl_pieces(request), page.secrets_shown);
    page.curl = joined(curl_pieces(request));
    at("wire-note").textContent = request.cookie
        ? `${WIRE_NOTE} The cookies too: they are HttpOnly, so older tokens are replayed in a JSON body.`
        : WIRE_NOTE;

    const bare = !place.values.refresh_token;
    at("hint").hidden = !bare && !place.chain?.ended;
    at("hint-text").textContent = bare
        ? "No token yet. Begin a session on the server, then paste what it prints into the token field:"
        : "This session has ended. Begin another one on the server, then paste what it prints into the token field:";
    at("hint-command").textContent = session_command(place);
}

const shell_word = (text) => (/^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function session_command(place) {
    const words = ["retoken session create --mount", shell_word(place.path), "--account", shell_word(place.values.username || page.account)];
    const needs = session_needs(place.dialect);
    if (needs.client)
        words.push("--client", shell_word(place.values.client_id || "web"));
    if (needs.scope)
        words.push("--scope", shell_word(place.values.scope || needs.scope));
    return [...words, "--json"].join(" ");
}

function draw_fields() {
    const place = page.place;
    const dialect = DIALECTS[place.dialect];
    const nodes = [];
    if (dialect.forms.length > 1)
        nodes.push(h("fieldset", { class: "forms" }, h("legend", {}, "How the client words it"),
            ...dialect.forms.map(({ id, label }) =>
                h("label", { class: "choice" },
                    h("input", { type: "radio", name: "form", value: id, checked: id === place.form, onchange: () => choose_form(id) }),
                    h("span", {}, label)))));
    for (const field of fields_of(place.dialect, place.form))
        nodes.push(field_view(place, field));
    at("fields").replaceChildren(...nodes);
    at("dialect-summary").textContent = dialect.summary;
    at("secrets").hidden = !fields_of(place.dialect, place.form).some((field) => field.secret);
}

function field_view(place, field) {
    const id = `field-${field.name}`;
    const help = field.help ? h("p", { class: "help", id: `${id}-help` }, field.help) : null;
    const common = {
        id, name: field.name, autocomplete: "off", autocapitalize: "off", spellcheck: "false",
        "aria-describedby": help ? help.id : null,
        class: field.wide ? `is-${field.name.replace("_token", "")}` : null,
        oninput: (event) => take_input(place, field, event.target),
    };
    const input = field.wide
        ? h("textarea", { ...common, rows: "3" })
        : h("input", { ...common, type: field.secret && !page.secrets_shown ? "password" : "text" });
    input.value = place.values[field.name];
    return h("div", { class: "field" }, h("label", { for: id }, field.label), input, help);
}

/* A token field also takes the object that `retoken session create --json` prints. */
function take_input(place, field, input) {
    const found = tokens_in(field.wide && input.value.trim().startsWith("{") ? parsed(input.value) : null);
    if (found.refresh) {
        place.values.refresh_token = found.refresh;
        place.values.access_token = found.access;
    } else {
        place.values[field.name] = value_of(input);
    }
    if (field.wide) {
        place.chosen = -1; /* show what was pasted, not the last answer */
        if (place.chain && chain_find(place.chain, place.values.refresh_token) < 0)
            place.chain = null;
    }
    draw();
}

/* A token has no white space in it, but one copied from a terminal may. */
const value_of = (input) => (input.matches("textarea") ? input.value.replaceAll(/\s+/g, "") : input.value);

function refresh_fields() {
    for (const input of at("fields").querySelectorAll("textarea, input:not([type=radio])"))
        if (value_of(input) !== page.place.values[input.name])
            input.value = page.place.values[input.name];
}

function choose_form(id) {
    page.place.form = id;
    draw_fields();
    at("fields").querySelector(`input[value="${id}"]`).focus();
    draw();
}

function draw_steps() {
    const place = page.place;
    const keeps = place.chain?.rotates === false || (DIALECTS[place.dialect].keeps && place.chain?.rotates !== true);
    const renewed = place.chain && place.chain.links.length > 1 && !place.chain.ended;
    set_enabled("send", Boolean(place.values.refresh_token) || place.form === "cookie");
    set_enabled("replay", replayable(place.chain) !== null && place.exchanges.length > 0);
    set_enabled("reuse", Boolean(renewed));
    at("step-send").textContent = keeps
        ? "The answer brings a new access token; the refresh token stays what it is."
        : "The next token is on disk before the answer leaves, so no crash can lose it.";
    at("step-replay").textContent = keeps
        ? "This dialect keeps its token: presented again, it buys a fresh access token."
        : "A lost answer or a second tab asks twice: it gets the same answer twice.";
    at("step-reuse").textContent = keeps
        ? "Not here: a dialect that never replaces its refresh token has no older one."
        : "A copied token comes back: within its window it gets the newest answer, after it the session ends.";
}

/* aria-disabled, not disabled: a button that has the focus keeps it when its step cannot be taken again. */
function set_enabled(id, possible) {
    at(id).setAttribute("aria-disabled", String(!possible));
}

function draw_log() {
    const place = page.place;
    at("log").replaceChildren(...log_view(place.exchanges, place.chosen, (i) => {
        place.chosen = i;
        draw();
        at("log").querySelectorAll("button")[i].focus();
    }));
    const shown = at("log").children[place.chosen];
    if (shown)
        at("log").scrollTop = shown.offsetTop - at("log").offsetTop - at("log").clientHeight + shown.offsetHeight;
    const latest = place.exchanges.at(-1);
    const says = latest ? latest.verdict.says : "Nothing has been sent yet.";
    if (at("says").textContent !== says)
        at("says").textContent = says;
    at("says").className = `says ${latest ? { true: "good", false: "bad", null: "unknown" }[latest.verdict.kept] : ""}`;
    refresh_fields();
}

function draw_chain() {
    const place = page.place;
    const token = place.values.refresh_token;
    const chain = place.chain ?? (token ? chain_begin(token, "") : null);
    at("chain").replaceChildren(...(chain ? chain_view(chain, page.revealed) : [h("li", { class: "empty" }, "The tokens of a session appear here, oldest first.")]));
    at("reveal").hidden = !chain;
}

function draw_answer() {
    const place = page.place;
    const exchange = place.exchanges[place.chosen];
    at("answer-card").hidden = !exchange;
    if (exchange) {
        at("answer-facts").textContent =
            `No. ${place.chosen + 1} at ${clock_time(exchange.at)}, ${exchange.took_ms.toFixed(1)} ms, ${exchange.bytes} bytes of body`;
        const head = [exchange.line, ...exchange.headers.map(([name, value]) => `${name}: ${value}`)].join("\n");
        show_pieces(at("answer"), [{ text: `${head}\n\n`, kind: "head" }, ...pieces_of(exchange.text, exchange)], true);
        at("answer-note").textContent = answer_note(exchange);
        const first = place.exchanges.indexOf(exchange.same_as);
        at("answer-same").hidden = first < 0;
        at("answer-same").textContent = `${exchange.same}: see answer ${first + 1}.`;
        show_pieces(at("answer-request"), wire_pieces(exchange.request), page.secrets_shown);
    }
    if (exchange?.granted)
        draw_tokens(exchange.access, exchange.refresh || exchange.sent, true);
    else
        draw_tokens(place.values.access_token, exchange ? exchange.sent : place.values.refresh_token, false);
}

function answer_note(exchange) {
    const notes = [];
    if (!exchange.bytes)
        notes.push("The body is empty.");
    else if (exchange.text.endsWith("\n"))
        notes.push("The body ends with a newline.");
    if (DIALECTS[page.place.dialect].forms.some((form) => form.cookies))
        notes.push(exchange.request.cookie
            ? "Set-Cookie is hidden from scripts; the browser kept the cookies."
            : "Set-Cookie is hidden from scripts; with a JSON body this page lets the browser drop the cookies.");
    return notes.join(" ");
}

let drawn = 0; /* counts drawings, so that a late signature check does not overwrite a newer one */

async function draw_tokens(access, refresh, of_answer) {
    const mine = ++drawn;
    for (const [id, token] of [["access", access], ["refresh", refresh]]) {
        const read = read_token(token);
        at(`${id}-body`).replaceChildren(...token_view(read, null));
        if (read.shape !== "jwt")
            continue;
        const keys = String(read.header.alg).startsWith("HS") ? null : await keys_for(read.header.kid, of_answer);
        const verdict = await check_signature(read, keys);
        if (mine !== drawn)
            return;
        at(`${id}-body`).replaceChildren(...token_view(read, verdict));
    }
}

/* ---- choosing a mount ---- */

function draw_mounts() {
    const row = (place, name, about) =>
        h("label", { class: "mount" },
            h("input", { type: "radio", name: "mount", checked: place === page.place, onchange: () => choose_place(place) }),
            h("span", { class: "mount-text" }, h("span", { class: "mount-path" }, name), h("span", { class: "mount-dialect" }, about)));
    at("mounts").replaceChildren(...page.places.map((place) =>
        place.custom ? row(place, "Another path", "with a dialect you choose") : row(place, place.path, DIALECTS[place.dialect].title)));
}

function choose_place(place) {
    page.place = place;
    at("custom").hidden = !place.custom;
    draw_fields();
    draw();
}

function change_custom() {
    const place = page.places.find((each) => each.custom);
    const fresh = place_make({ path: at("custom-path").value.trim() || "/", dialect: at("custom-dialect").value, ...place.values });
    Object.assign(place, fresh, { custom: true, form: place.dialect === fresh.dialect ? place.form : fresh.form });
    choose_place(place);
}

/* ---- beginning ---- */

const object = (value) => (value !== null && typeof value === "object" ? value : {});

/* The default mounts, filled from the demo where there is one: {account, password, client, mounts}. */
function places_from(demo) {
    const common = {
        username: demo.account,
        password: demo.password,
        client_id: object(demo.client).id,
        client_secret: object(demo.client).secret,
    };
    const shown = (Array.isArray(demo.mounts) ? demo.mounts : [])
        .filter((each) => typeof each?.path === "string" && Object.hasOwn(DIALECTS, each.dialect));
    const others = shown.filter((each) => !MOUNTS.some((mount) => mount.path === each.path));
    return [...MOUNTS, ...others].map((mount) =>
        place_make({ ...common, ...mount, ...shown.find((each) => each.path === mount.path) }));
}

async function copy(button) {
    const source = button.dataset.copies;
    const text = source === "curl" ? page.curl : at(source).textContent;
    try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
    } catch {
        getSelection().selectAllChildren(at(source));
        button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function toggle(button, flag, words) {
    page[flag] = !page[flag];
    button.setAttribute("aria-pressed", String(page[flag]));
    button.textContent = words[Number(page[flag])];
}

function listen() {
    const steps = { send, replay, reuse };
    for (const [id, step] of Object.entries(steps))
        at(id).addEventListener("click", () => {
            if (at(id).getAttribute("aria-disabled") !== "true")
                busily(step);
        });
    for (const form of document.forms)
        form.addEventListener("submit", (event) => event.preventDefault());
    for (const button of document.querySelectorAll("[data-copies]"))
        button.addEventListener("click", () => copy(button));
    at("secrets").addEventListener("click", () => {
        toggle(at("secrets"), "secrets_shown", ["Show secrets", "Hide secrets"]);
        draw_fields();
        draw();
    });
    at("reveal").addEventListener("click", () => {
        toggle(at("reveal"), "revealed", ["Reveal tokens", "Mask tokens"]);
        draw_chain();
    });
    at("prefix").addEventListener("input", () => {
        page.keys = null;
        draw();
    });
    at("custom-path").addEventListener("input", change_custom);
    at("custom-dialect").addEventListener("change", change_custom);
}

async function begin() {
    const demo = object(await json_at(new URL("demo.json", document.baseURI)));
    if (typeof demo.account === "string")
        page.account = demo.account;
    const [first] = MOUNTS;
    const custom = Object.assign(place_make(first), { custom: true });
    page.places = [...places_from(demo), custom];
    at("custom-dialect").replaceChildren(...Object.entries(DIALECTS).map(([id, { title }]) =>
        h("option", { value: id, selected: id === first.dialect }, title)));
    [page.place] = page.places;
    listen();
    draw_mounts();
    choose_place(page.place);
    document.documentElement.dataset.ready = "yes";
}

begin();
