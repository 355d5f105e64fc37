/* SPDX-License-Identifier: ISC */
/* dialect_try.c: `retoken dialect try`: what a dialect reads from a recorded request, and the
 * exact answer. No store is asked: tokens and account of a grant are made up. */
#include "admin/verbs/verbs.h"

#include "admin/dialect/input.h"
#include "admin/dialect/play.h"
#include "admin/dialect/tell.h"

static void show_values(const struct dialect_play *play, struct buffer *out);
static void show_answer(const struct dialect_play *play, struct buffer *out);

enum call_end verbs_dialect_try(struct call *call)
{
    const char *file = options_value(&call->options, OPTION_REQUEST);
    const char *word = options_value(&call->options, OPTION_OUTCOME);
    struct buffer *out = &call->output.buffer;
    const struct dialect *dialect = NULL;
    struct http_recording recording;
    struct dialect_play *play = arena_alloc(call->arena, sizeof *play);
    struct fault fault = {"out of memory"};
    enum outcome outcome = OUTCOME_FAULT;
    enum call_end end;

    if (file == NULL) {
        return call_wrong(call, "--request is missing");
    } else if (word != NULL && !outcome_parse(text_of(word), &outcome)) {
        return call_wrong(call, "--outcome %s: no word of the log; docs/dialects.md lists them",
                          word);
    }
    end = dialect_input_dialect(call, call_argument(call, 0), &dialect);
    end = end == CALL_DONE ? dialect_input_request(call, file, &recording) : end;
    if (end != CALL_DONE || play == NULL) {
        return end != CALL_DONE ? end : call_fault(call, &fault);
    } else if (!dialect_play_read(play, dialect, &recording, call->arena, &fault)) {
        return call_refuse(call, "%s", fault.text);
    }
    show_values(play, out);
    outcome = word != NULL ? outcome : play->outcome;
    play->request.answer.now_ms = call->now_ms;
    if (outcome_is_grant(outcome) && !play->understood) {
        return call_refuse(call, "--outcome %s: a request that is not understood gets no grant",
                           word);
    } else if ((play->understood && outcome_is_grant(outcome) &&
                !dialect_play_make_up(play, call->now_ms, &fault)) ||
               !dialect_play_answer(play, outcome, &fault)) {
        return call_fault(call, &fault);
    }
    buffer_addf(out, "\noutcome=%s: %s.%s\n\n", outcome_word(outcome), outcome_meaning(outcome),
                outcome_is_grant(outcome) ? " Tokens and account are made up." : "");
    show_answer(play, out);
    return CALL_DONE;
}

static struct text value_of(const struct request *request, enum described_role role)
{
    bool login = request->operation == &operation_login;
    const struct refresh_input *refresh = &request->input.refresh;

    switch (role) {
    case DESCRIBED_REFRESH_TOKEN:
        return refresh->candidate_count > 0 ? refresh->candidates[0] : refresh->refresh_token;
    case DESCRIBED_ACCESS_TOKEN:
        return refresh->by_access_token ? refresh->refresh_token : refresh->access_token;
    case DESCRIBED_USERNAME:
        return login ? request->input.login.username : refresh->username;
    case DESCRIBED_PASSWORD:
        return login ? request->input.login.password : refresh->password;
    case DESCRIBED_SCOPE:
        return login ? request->input.login.scope : refresh->scope;
    case DESCRIBED_CLIENT_ID:
        return request->client.id;
    case DESCRIBED_CLIENT_SECRET:
        return request->client.secret;
    case DESCRIBED_APPLICATION_KEY:
        break;
    }
    return (struct text){0};
}

/* Of a secret no more than tells it from others. */
static void show_value(const char *what, struct text value, bool secret, struct buffer *out)
{
    enum { SHOWN = 4, LONG = 16 };
    struct text shown = secret ? text_cut(value, value.size >= LONG ? SHOWN : 0) : value;

    buffer_addf(out, "  %s: ", what);
    if (value.size == 0) {
        buffer_add_c(out, "not given\n");
    } else if (text_has_control(shown)) {
        buffer_addf(out, "%zu bytes\n", value.size);
    } else {
        buffer_add(out, shown);
        if (secret) {
            buffer_addf(out, "%s(%zu bytes)", shown.size > 0 ? "… " : "", value.size);
        }
        buffer_add_c(out, "\n");
    }
}

static void show_values(const struct dialect_play *play, struct buffer *out)
{
    const struct request *request = &play->request;
    const struct described_request *described = request->described;

    buffer_addf(out, "endpoint %s, %s", play->mount.endpoint->name, play->mount.path);
    if (described == NULL || !play->understood) {
        buffer_addf(out, ": not understood (outcome=%s)\n", outcome_word(play->outcome));
        return;
    }
    buffer_addf(out, ": %s\n", request->operation->word);
    for (size_t i = 0; i < described->value_count; i++) {
        enum described_role role = described->values[i].role;

        if (role != DESCRIBED_APPLICATION_KEY) {
            show_value(dialect_tell_role(role), value_of(request, role),
                       dialect_tell_is_secret(role), out);
        }
    }
    if (described->oauth_client) {
        show_value("the client's id", request->client.id, false, out);
        show_value("the client's secret", request->client.secret, true, out);
    }
}

/* As it goes over the wire, but for the server's own headers. */
static void show_answer(const struct dialect_play *play, struct buffer *out)
{
    struct buffer spelled;
    struct text bytes = {0};
    struct text status = TEXT("Status:");

    buffer_start(&spelled, play->request.arena, 1024);
    if (!http_response_write(&play->http.response, &spelled) || !buffer_finish(&spelled, &bytes)) {
        out->failed = true;
        return;
    }
    buffer_add_c(out, "HTTP/1.1");
    bytes = text_from(bytes, text_starts(bytes, status) ? status.size : 0);
    while (bytes.size > 0 && bytes.data[0] != '\r') {
        struct text line = text_split(&bytes, '\n');

        buffer_add(out, text_ends(line, TEXT("\r")) ? text_cut(line, line.size - 1) : line);
        buffer_add_c(out, "\n");
    }
    buffer_add_c(out, "\n");
    buffer_add(out, text_from(bytes, 2));
    if (!text_ends(bytes, TEXT("\n"))) {
        buffer_add_c(out, "\n");
    }
}
