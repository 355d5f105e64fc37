/* SPDX-License-Identifier: ISC */
/* request_log.c: the wording of the log line of a request; see request_log.h. */
#include "responder/request_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/codec.h"
#include "base/log.h"
#include "operation/operation.h"

/* An address of IPv6 with its zone. */
enum { ADDRESS_SIZE = 64 };

static bool by_stranger(const struct request *request, enum outcome outcome);
static bool is_wrong_proof(enum outcome outcome);
static const char *sender(const struct http_request *http, char room[ADDRESS_SIZE]);
static const char *fault_label(const struct fault *fault);
static void shorten_path(struct text path, char *out, size_t room);

void request_log(const struct request *request, enum outcome outcome)
{
    const struct answer *answer = &request->answer;
    /* a token newer than the store is as loud as a fault: the store lost history */
    bool loud = outcome == OUTCOME_FAULT || outcome == OUTCOME_ROLLED_FORWARD;
    /* of milliseconds: printf's floating point would cost more than the rest of a line */
    int64_t tenths = (request->took_us + 50) / 100;
    const char *refusal = client_refusal_word(answer->refusal);
    char method[32];
    char client[CLIENT_ID_MAX + 1] = "-";
    char session[37] = "-";
    char generation[16] = "-";
    char address[ADDRESS_SIZE];

    if (answer->session_known) {
        codec_uuid_format(answer->session, session);
        snprintf(generation, sizeof generation, "%" PRIu32, answer->generation);
    }
    if (answer->client.size > 0) {
        log_safe(answer->client, client, sizeof client);
    }
    if (by_stranger(request, outcome) && !log_admits()) {
        return;
    }
    log_line(loud                          ? LOG_LEVEL_ERROR
             : request->operation->routine ? LOG_LEVEL_INFO
                                           : LOG_LEVEL_NOTICE,
             "%s addr=%s auth=%s method=%s mount=%s outcome=%s status=%d session=%s generation=%s "
             "client=%s ms=%" PRId64 ".%d%s%s%s%s%s%s",
             request->operation->word, sender(&request->http->request, address),
             is_wrong_proof(outcome) ? "refused" : "-",
             log_safe(request->http->request.method_name, method, sizeof method),
             request->mount->path, outcome_word(outcome), request->http->response.status, session,
             generation, client, tenths / 10, (int)(tenths % 10),
             request->id[0] != '\0' ? " id=" : "", request->id,
             refusal[0] != '\0' ? " reason=" : "", refusal, fault_label(&request->fault),
             request->fault.text);
}

/* Anyone can cause such a line, without a token. */
static bool by_stranger(const struct request *request, enum outcome outcome)
{
    return !request->answer.session_known && outcome != OUTCOME_FAULT &&
           (!outcome_is_grant(outcome) || outcome == OUTCOME_NONE_ENDED);
}

/* What an address may be banned for when it goes on: a password, secret, assertion or user code
 * that is wrong, or one more where too many were. Not what a wrong setting causes, nor a token that
 * has become stale. */
static bool is_wrong_proof(enum outcome outcome)
{
    return outcome == OUTCOME_CREDENTIALS_WRONG || outcome == OUTCOME_CLIENT_AUTH_FAILED ||
           outcome == OUTCOME_USER_CODE_WRONG || outcome == OUTCOME_SLOWED;
}

/* The address that the web server saw. */
static const char *sender(const struct http_request *http, char room[ADDRESS_SIZE])
{
    return http->remote_address.size > 0 ? log_safe(http->remote_address, room, ADDRESS_SIZE) : "-";
}

void request_log_stray(const struct request *request, const char *what)
{
    const struct http_request *http = &request->http->request;
    char method[32];
    char script[128];
    char info[128];
    char script_safe[256];
    char info_safe[256];
    char address[ADDRESS_SIZE];

    if (request->fault.text[0] == '\0' && !log_admits()) {
        return;
    }
    shorten_path(http->script_name, script, sizeof script);
    shorten_path(http->path_info, info, sizeof info);
    log_line(LOG_LEVEL_NOTICE, "%s addr=%s method=%s script=%s info=%s status=%d%s%s", what,
             sender(http, address), log_safe(http->method_name, method, sizeof method),
             log_safe(text_of(script), script_safe, sizeof script_safe),
             log_safe(text_of(info), info_safe, sizeof info_safe), request->http->response.status,
             fault_label(&request->fault), request->fault.text);
}

/* " fault=" or nothing. */
static const char *fault_label(const struct fault *fault)
{
    return fault->text[0] != '\0' ? " fault=" : "";
}

/* A path that no mount has may hold anything, a token too: of a long segment, only the beginning
 * is shown. */
static void shorten_path(struct text path, char *out, size_t room)
{
    enum { SEGMENT_SHOWN = 24, SEGMENT_KEPT = 8 };
    size_t size = 0;

    while (path.size > 0 && size + SEGMENT_SHOWN + 2 < room) {
        bool more = text_find(path, '/') < path.size;
        struct text segment = text_split(&path, '/');
        size_t kept = segment.size > SEGMENT_SHOWN ? SEGMENT_KEPT : segment.size;
        size += (size_t)snprintf(out + size, room - size, "%.*s%s%s",
                                 TEXT_ARGS(text_cut(segment, kept)),
                                 kept < segment.size ? "..." : "", more ? "/" : "");
    }
    out[size] = '\0';
}
