/* SPDX-License-Identifier: ISC */
/* call.c: what all verbs share: opening, failing, finding. Does not know what a verb does. */
#include "admin/call.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "admin/prompt.h"
#include "base/codec.h"

static void say(const struct call *call, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

const char *call_argument(const struct call *call, size_t i)
{
    size_t at = call->first_argument + i;

    return at < call->options.argument_count ? call->options.arguments[at] : NULL;
}

enum call_end call_open(struct call *call)
{
    struct fault fault = {0};

    if (call->verb->needs == CALL_NEEDS_NOTHING) {
        return CALL_DONE;
    }
    const char *file = options_value(&call->options, OPTION_CONFIG);
    if (!config_load(file, &call->service.config, &fault)) {
        return call_fault(call, &fault);
    }
    if (!service_open(&call->service, false, call->verb->needs == CALL_NEEDS_READING, &fault)) {
        return call_fault(call, &fault);
    }
    call->opened = true;
    call->clock = store_clock(call->service.store);
    call->now_ms = clock_now_ms(&call->clock);
    return CALL_DONE;
}

/* ---- how a verb ends ---- */

enum call_end call_refuse(const struct call *call, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(call, format, arguments);
    va_end(arguments);
    return CALL_REFUSED;
}

enum call_end call_check_length(const struct call *call, const char *what, size_t size,
                                const struct call_lengths *lengths)
{
    size_t least = prompt_is_terminal() ? lengths->wanted : lengths->least;

    if (size >= lengths->wanted || options_has(&call->options, OPTION_FORCE)) {
        return CALL_DONE;
    } else if (size < least) {
        return call_refuse(call,
                           "%s of %zu characters can be guessed; take %zu or more (or --force)",
                           what, size, lengths->wanted);
    }
    call_warn(call, "%s of %zu characters can be guessed; %zu or more are better", what, size,
              lengths->wanted);
    return CALL_DONE;
}

enum call_end call_wrong(const struct call *call, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(call, format, arguments);
    va_end(arguments);
    const struct verb *verb = call->verb;
    fprintf(stderr, "see: retoken help%s%s%s%s\n", verb != NULL ? " " : "",
            verb != NULL ? verb->noun : "", verb != NULL && verb->verb[0] != '\0' ? " " : "",
            verb != NULL ? verb->verb : "");
    return CALL_USAGE;
}

void call_warn(const struct call *call, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(call, format, arguments);
    va_end(arguments);
}

enum call_end call_fault(const struct call *call, const struct fault *fault)
{
    call_warn(call, "%s", fault->text);
    return CALL_FAULT;
}

/* "retoken account add: TEXT" */
static void say(const struct call *call, const char *format, va_list arguments)
{
    fputs("retoken", stderr);
    if (call->verb != NULL) {
        fprintf(stderr, " %s%s%s", call->verb->noun, call->verb->verb[0] != '\0' ? " " : "",
                call->verb->verb);
    }
    fputs(": ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

/* ---- finding ---- */

enum call_end call_account(const struct call *call, const char *name, struct account *account)
{
    struct fault fault = {0};

    switch (store_account_find(call->service.store, name, account, &fault)) {
    case STORE_OK:
        return CALL_DONE;
    case STORE_ABSENT:
        return call_refuse(call, "no account %s; `retoken account list` shows all", name);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return call_fault(call, &fault);
}

enum call_end call_client(const struct call *call, const char *id, struct client *client)
{
    struct fault fault = {0};

    switch (store_client_find(call->service.store, id, client, &fault)) {
    case STORE_OK:
        return CALL_DONE;
    case STORE_ABSENT:
        return call_refuse(call, "no client %s; `retoken client list` shows all", id);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return call_fault(call, &fault);
}

enum store_result call_account_name(const struct call *call, uint64_t number,
                                    struct call_name *name, struct fault *fault)
{
    struct account account;

    if (name->number == number) {
        return STORE_OK;
    }
    enum store_result result =
        number != 0 ? store_account_get(call->service.store, number, &account, fault) : STORE_OK;
    if (number == 0) {
        name->text[0] = '\0'; /* a client's own session has no account */
    } else if (result == STORE_OK) {
        memcpy(name->text, account.name, sizeof account.name);
    } else if (result == STORE_ABSENT) {
        snprintf(name->text, sizeof name->text, "#%" PRIu64, number);
        result = STORE_OK;
    }
    name->number = number;
    return result;
}

enum call_end call_session_id(const struct call *call, const char *spelled,
                              uint8_t id[SESSION_ID_SIZE])
{
    if (codec_uuid_parse(text_of(spelled), id)) {
        return CALL_DONE;
    }
    return call_wrong(call,
                      "%.40s is not a session id; one looks like "
                      "01936a2e-5c1b-7e52-9d1f-3f8a6b0c2d4e",
                      spelled);
}

/* ---- events ---- */

void call_attach(const struct call *call, struct store_write *write, enum event_kind kind,
                 uint64_t account, const char *client, const char *cause, const char *note)
{
    struct event event = {.at_ms = call->now_ms, .kind = kind, .account = account};

    if (client != NULL) {
        text_copy(text_of(client), event.client, sizeof event.client);
    }
    event_set_cause(&event, cause != NULL ? cause : "");
    text_copy(text_cut(text_of(note), EVENT_NOTE_MAX), event.note, sizeof event.note);
    store_attach_event(write, &event);
}

enum call_end call_event(const struct call *call, enum event_kind kind, uint64_t account,
                         const char *client, const char *note)
{
    struct fault fault = {0};
    struct store_write write;

    store_prepare_attached(&write, call->now_ms);
    call_attach(call, &write, kind, account, client, NULL, note);
    if (store_write(call->service.store, &write, &fault) == STORE_OK) {
        return CALL_DONE;
    }
    fault_prefix(&fault, "done, but the event was not written");
    return call_fault(call, &fault);
}

bool call_each_session(const struct call *call,
                       void (*visit)(void *self, const struct session *session), void *self,
                       struct fault *fault)
{
    enum { PAGE = 128 };
    struct session *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    uint8_t after[SESSION_ID_SIZE];
    size_t count = PAGE;

    fault_set(fault, "out of memory");
    for (bool first = true; rows != NULL && count == PAGE; first = false) {
        if (store_session_list(call->service.store, 0, first ? NULL : after, rows, PAGE, &count,
                               fault) != STORE_OK) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            visit(self, &rows[i]);
            memcpy(after, rows[i].id, sizeof after);
        }
    }
    return rows != NULL;
}
