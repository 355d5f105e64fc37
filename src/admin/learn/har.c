/* SPDX-License-Identifier: ISC */
/* har.c: see har.h. A HAR file has far more values than any other JSON here, so it is
 * scanned, and only one exchange at a time is parsed. */
#include "admin/learn/har.h"

#include "admin/learn/flow.h"
#include "admin/learn/sort.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "model/mount.h"

enum {
    SCRATCH_MAX = 8 * 1024 * 1024,
    ENTRY_MAX = 2 * HTTP_RECORDING_MAX,
    SHOWN_MAX = 32 /* refresh tokens that are known again */
};

/* An entry that is kept: where it is in the file. */
struct kept {
    struct text text;
    size_t number;
    char path[MOUNT_PATH_MAX + 1];
    enum http_method method;
};

struct kept_refusal {
    struct kept kept;
    enum learn_what what;
    const char *word;
};

struct picking {
    struct arena *arena;   /* for what is kept */
    struct arena *scratch; /* for one entry */
    struct learn_input *input;
    struct kept granted[LEARN_WHATS], earlier;
    struct kept_refusal refusals[LEARN_REFUSALS_MAX];
    size_t refusal_count;
    struct text shown[SHOWN_MAX];
    size_t shown_count;
    struct learn_flow *flow;
};

static bool each_entry(struct picking *picking, struct text har,
                       void (*take)(struct picking *picking, const struct kept *kept,
                                    const struct learn_exchange *exchange),
                       struct fault *fault);
static void note(struct picking *picking, const struct kept *kept,
                 const struct learn_exchange *exchange);
static void follow(struct picking *picking, const struct kept *kept,
                   const struct learn_exchange *exchange);
static void take_granted(struct picking *picking, const struct kept *kept,
                         const struct learn_exchange *exchange);
static void take_refused(struct picking *picking, const struct kept *kept,
                         const struct learn_exchange *exchange);
static bool read_entry(struct arena *arena, struct text entry, struct learn_exchange *exchange);

static const struct learn_exchange *keep(struct arena *arena, const struct kept *kept)
{
    struct learn_exchange *exchange = arena_alloc(arena, sizeof *exchange);

    if (kept->text.size == 0 || exchange == NULL || !read_entry(arena, kept->text, exchange)) {
        return NULL;
    }
    exchange->entry = kept->number;
    return exchange;
}

/* First the way that values go, then what was granted, then what was refused at the same paths. */
bool learn_har_read(struct arena *arena, struct text har, struct learn_input *input,
                    struct fault *fault)
{
    struct picking *picking = arena_alloc(arena, sizeof *picking);
    bool found = false;

    buffer_start(&input->unsaid, arena, 256);
    fault_set(fault, "out of memory");
    if (picking != NULL) {
        *picking =
            (struct picking){.arena = arena, .scratch = arena_open(SCRATCH_MAX), .input = input};
        picking->flow = learn_flow_open(arena, &input->names);
        found = picking->scratch != NULL && picking->flow != NULL &&
                each_entry(picking, har, note, fault) && each_entry(picking, har, follow, fault) &&
                each_entry(picking, har, take_granted, fault) &&
                each_entry(picking, har, take_refused, fault);
        arena_close(picking->scratch);
    }
    if (!found) {
        return false;
    }
    for (size_t i = 0; i < LEARN_WHATS; i++) {
        input->granted[i] = keep(arena, &picking->granted[i]);
    }
    input->earlier = keep(arena, &picking->earlier);
    for (size_t i = 0; i < picking->refusal_count; i++) {
        const struct kept_refusal *refusal = &picking->refusals[i];
        const struct learn_exchange *exchange = keep(arena, &refusal->kept);

        if (exchange != NULL) {
            input->refusals[input->refusal_count++] =
                (struct learn_refusal){refusal->what, refusal->word, exchange};
        }
    }
    if (input->granted[LEARN_REFRESH] == NULL) {
        fault_set(fault, "no exchange in it is a refresh that was granted; record until the page "
                         "has renewed its token, and save the HAR with sensitive data");
    }
    return input->granted[LEARN_REFRESH] != NULL;
}

/* Scans to the array log.entries. */
static bool find_entries(struct json_scan *scan, struct json_scan_value *entries)
{
    while (json_scan_next(scan, entries) != JSON_SCAN_END && entries->kind != JSON_SCAN_BAD) {
        if (entries->kind == JSON_SCAN_OPEN && entries->is_array && entries->depth == 2 &&
            text_is(entries->name, "entries")) {
            return true;
        }
    }
    return false;
}

static bool each_entry(struct picking *picking, struct text har,
                       void (*take)(struct picking *picking, const struct kept *kept,
                                    const struct learn_exchange *exchange),
                       struct fault *fault)
{
    struct kept kept = {.number = 0};
    struct json_scan_value value;
    struct json_scan scan;

    json_scan_start(&scan, har);
    if (!find_entries(&scan, &value)) {
        fault_set(fault, "not a HAR file: it has no log.entries");
        return false;
    }
    while (json_scan_next(&scan, &value) == JSON_SCAN_OPEN) {
        arena_reset(picking->scratch);
        struct learn_exchange *exchange = arena_alloc(picking->scratch, sizeof *exchange);

        kept.number++;
        if (!json_scan_whole(&scan, &value, &kept.text)) {
            if (take == take_granted) {
                buffer_addf(&picking->input->unsaid,
                            "the file ends within entry %zu: what should follow is not looked at\n",
                            kept.number);
            }
            return true;
        } else if (exchange == NULL || kept.text.size > ENTRY_MAX ||
                   !read_entry(picking->scratch, kept.text, exchange) ||
                   !text_copy(exchange->request.path, kept.path, sizeof kept.path)) {
            continue;
        }
        exchange->entry = kept.number;
        kept.method = exchange->request.is.method;
        take(picking, &kept, exchange);
    }
    return true;
}

static void note(struct picking *picking, const struct kept *kept,
                 const struct learn_exchange *exchange)
{
    (void)kept;
    learn_flow_note(picking->flow, exchange, picking->scratch);
}

static void follow(struct picking *picking, const struct kept *kept,
                   const struct learn_exchange *exchange)
{
    (void)kept;
    learn_flow_follow(picking->flow, exchange, picking->scratch);
}

/* So that one which comes again is known. */
static void note_shown(struct picking *picking, struct text token)
{
    if (picking->shown_count < SHOWN_MAX && token.size > 0 &&
        arena_copy(picking->arena, token, &picking->shown[picking->shown_count])) {
        picking->shown_count++;
    }
}

static void say_redirect(struct picking *picking, const struct learn_exchange *exchange)
{
    learn_unsaid(&picking->input->unsaid, exchange,
                 "it was answered with a redirect (%d), and a dialect answers 200 to 299 or 400 to "
                 "599",
                 exchange->answer.status);
}

static void take_granted(struct picking *picking, const struct kept *kept,
                         const struct learn_exchange *exchange)
{
    struct learn_input *input = picking->input;
    struct learn_sorted sorted;

    learn_sort(exchange, &input->names, picking->scratch, &sorted);
    struct kept *logout = &picking->granted[LEARN_LOGOUT];
    bool leaves = sorted.may_leave && (logout->text.size == 0 || input->logout_guessed) &&
                  learn_flow_ends(picking->flow, sorted.shown, exchange->entry);
    if (leaves || (sorted.what == LEARN_LOGOUT && input->logout_guessed)) {
        sorted.what = LEARN_LOGOUT;
        input->logout_guessed = leaves;
        *logout = (struct kept){.number = 0}; /* a guess gives way */
    }
    if (sorted.what == LEARN_WHATS) {
        if (sorted.unsaid != NULL) {
            learn_unsaid(&input->unsaid, exchange, "%s", sorted.unsaid);
        }
        return;
    }
    struct kept *last = &picking->granted[sorted.what];
    if (last->text.size > 0 && exchange->answer.status >= 300) {
        say_redirect(picking, exchange);
        return;
    } else if (last->text.size > 0 &&
               (strcmp(last->path, kept->path) != 0 || last->method != kept->method)) {
        learn_unsaid(&input->unsaid, exchange,
                     "it looks like that of entry %zu, at another path or with another method; "
                     "only this one is described",
                     last->number);
    }
    if (sorted.what == LEARN_REFRESH) {
        bool other_path = strcmp(last->path, kept->path) != 0;

        input->refreshes = other_path ? 1 : input->refreshes + 1;
        input->rotations = other_path ? 0 : input->rotations;
        if (picking->input->names.cookie == NULL && sorted.cookie != NULL) {
            picking->input->names.cookie = arena_c_string(picking->arena, text_of(sorted.cookie));
        }
        if (sorted.next.size > 0 && !text_equal(sorted.next, sorted.shown)) {
            input->rotations++;
            note_shown(picking, sorted.shown);
        }
        picking->earlier = other_path ? (struct kept){.number = 0} : *last;
    }
    *last = *kept;
}

/* The last of each kind, for each line of the file. */
static void take_refused(struct picking *picking, const struct kept *kept,
                         const struct learn_exchange *exchange)
{
    enum learn_what what = LEARN_WHATS;
    struct text shown;
    size_t at = 0;

    for (enum learn_what i = LEARN_REFRESH; i < LEARN_WHATS; i++) {
        const struct kept *granted = &picking->granted[i];

        if (granted->text.size > 0 && strcmp(granted->path, kept->path) == 0 &&
            granted->method == kept->method &&
            (what == LEARN_WHATS ||
             (i == LEARN_LOGIN &&
              learn_sort_is_login(exchange, &picking->input->names, picking->scratch)))) {
            what = i;
        }
    }
    if (what == LEARN_WHATS || exchange->answer.status < 300) {
        return;
    } else if (exchange->answer.status < 400) {
        if (picking->granted[what].number != kept->number) {
            say_redirect(picking, exchange);
        }
        return;
    }
    const char *word =
        learn_sort_refusal(exchange, what, &picking->input->names, picking->scratch, &shown);
    bool about_token = strcmp(word, "token") == 0 || strcmp(word, "expired") == 0;
    for (size_t i = 0; i < picking->shown_count && about_token; i++) {
        word = text_equal(picking->shown[i], shown) ? "reused" : word;
    }
    while (at < picking->refusal_count &&
           (picking->refusals[at].what != what || strcmp(picking->refusals[at].word, word) != 0)) {
        at++;
    }
    if (at < LEARN_REFUSALS_MAX) {
        picking->refusals[at] = (struct kept_refusal){*kept, what, word};
        picking->refusal_count += at == picking->refusal_count;
    }
}

/* ---- one entry ---- */

/* The object that is that member of an object, parsed. NULL: there is none. */
static const json_t *member_of(struct arena *arena, struct text object, const char *name)
{
    struct json_scan_value value;
    struct json_scan scan;
    struct text whole;

    json_scan_start(&scan, object);
    while (json_scan_next(&scan, &value) != JSON_SCAN_END && value.kind != JSON_SCAN_BAD) {
        if (value.kind == JSON_SCAN_OPEN && value.depth == 1 && text_is(value.name, name)) {
            return json_scan_whole(&scan, &value, &whole) ? json_in_object(arena, whole, NULL)
                                                          : NULL;
        }
    }
    return NULL;
}

static bool take_headers(struct arena *arena, const json_t *message,
                         struct http_recording *recording)
{
    const json_t *headers = json_object_get(message, "headers");

    for (size_t i = 0; i < json_array_size(headers); i++) {
        const json_t *header = json_array_get(headers, i);
        struct text name = {0}, value = {0};

        (void)json_in_text(header, "name", &name);
        (void)json_in_text(header, "value", &value);
        if (!http_recording_header(arena, name, value, recording, NULL)) {
            return false;
        }
    }
    return true;
}

/* The text of postData or content, which may be in base64. */
static bool take_body(struct arena *arena, const json_t *content, struct http_recording *recording)
{
    struct text text = {0}, encoding = {0}, type = {0};

    (void)json_in_text(content, "text", &text);
    (void)json_in_text(content, "encoding", &encoding);
    (void)json_in_text(content, "mimeType", &type);
    if (text_is(encoding, "base64")) {
        char *bytes = arena_alloc(arena, text.size + 1);
        size_t size = 0;

        if (bytes == NULL || !codec_base64_decode(text, bytes, text.size, &size)) {
            return false;
        }
        text = (struct text){bytes, size};
    }
    recording->is.body = text;
    if (recording->is.content_type.size == 0 && text_is_printable(type)) {
        recording->is.content_type = type;
    }
    return text.size <= HTTP_RECORDING_MAX && text_is_utf8(text) &&
           text_find(text, '\0') == text.size;
}

static bool read_entry(struct arena *arena, struct text entry, struct learn_exchange *exchange)
{
    const json_t *request = member_of(arena, entry, "request");
    const json_t *response = member_of(arena, entry, "response");
    struct text method = {0}, url = {0};

    return json_in_text(request, "method", &method) == JSON_IN_TEXT &&
           json_in_text(request, "url", &url) == JSON_IN_TEXT &&
           http_recording_request(arena, method, url, &exchange->request, NULL) &&
           take_headers(arena, request, &exchange->request) &&
           take_body(arena, json_object_get(request, "postData"), &exchange->request) &&
           http_recording_answer(arena, json_integer_value(json_object_get(response, "status")),
                                 &exchange->answer, NULL) &&
           take_headers(arena, response, &exchange->answer) &&
           take_body(arena, json_object_get(response, "content"), &exchange->answer);
}
