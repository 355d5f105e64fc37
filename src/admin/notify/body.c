/* SPDX-License-Identifier: ISC */
/* body.c: see body.h. What a dialect's own server told is in the dialect's file. */
#include "admin/notify/body.h"

#include "admin/output.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/json.h"
#include "dialect/dialect.h"
#include "token/jws.h"

#define SESSION_REVOKED "https://schemas.openid.net/secevent/caep/event-type/session-revoked"

static void write_own(const struct webhook_told *told, struct buffer *body);
static bool write_token(const struct webhook *webhook, const struct webhook_told *told,
                        const struct signing_key *signer, struct arena *arena, struct buffer *body);
static void write_subject(const struct webhook_told *told, struct json_out *out);
static const char *initiator(const struct event *event);
static void add_text(struct json_out *out, const char *key, struct text value);

enum notify_body_result notify_body_write(const struct webhook *webhook,
                                          const struct webhook_told *told,
                                          const struct signing_key *signer, struct arena *arena,
                                          struct text *body, const char **media_type)
{
    struct buffer buffer;
    bool worded = true;

    buffer_start(&buffer, arena, 512);
    *media_type = "Content-Type: application/json";
    switch (webhook->format) {
    case WEBHOOK_FORMAT_RETOKEN:
        write_own(told, &buffer);
        break;
    case WEBHOOK_FORMAT_CAEP:
        *media_type = "Content-Type: application/secevent+jwt";
        worded = webhook_is_revocation(told->event) &&
                 (told->account != NULL || event_has_session(told->event));
        if (worded && !write_token(webhook, told, signer, arena, &buffer)) {
            return NOTIFY_BODY_FAULT;
        }
        break;
    case WEBHOOK_FORMAT_DIALECT:
        worded = webhook->dialect->webhook->write(told, &buffer);
        break;
    }
    if (!worded) {
        return NOTIFY_BODY_NONE;
    }
    return buffer_finish(&buffer, body) ? NOTIFY_BODY_WRITTEN : NOTIFY_BODY_FAULT;
}

/* ---- our own ---- */

static void write_own(const struct webhook_told *told, struct buffer *body)
{
    const struct event *event = told->event;
    struct json_out out = json_out_start(body, JSON_STYLE_PLAIN);
    char time[OUTPUT_TIME_SIZE];
    char session[37];

    output_time(event->at_ms, time);
    codec_uuid_format(event->session, session);
    json_out_open(&out);
    json_out_member(&out, "type", text_of(event_word(event->kind)));
    json_out_member(&out, "timestamp", text_of(time));
    json_out_key(&out, "data");
    json_out_open(&out);
    add_text(&out, "realm", text_of(event->realm));
    add_text(&out, "endpoint", text_of(event->mount));
    if (told->account != NULL) {
        json_out_member(&out, "account", text_of(told->account->name));
        json_out_member(&out, "subject", webhook_subject(told));
    }
    add_text(&out, "client", text_of(event->client));
    if (event_has_session(event)) {
        json_out_member(&out, "session", text_of(session));
        json_out_member_int(&out, "generation", event->generation);
    }
    add_text(&out, "cause", text_of(event->cause));
    add_text(&out, "address", text_of(event->address));
    add_text(&out, "note", text_of(event->note));
    json_out_close(&out);
    json_out_close(&out);
}

static void add_text(struct json_out *out, const char *key, struct text value)
{
    if (value.size > 0) {
        json_out_member(out, key, value);
    }
}

/* ---- security event tokens ---- */

/* RFC 8417, with the event of the OpenID Continuous Access Evaluation Profile 1.0, and a subject of
 * RFC 9493. The same event gives the same claims, whenever it is sent. */
static bool write_token(const struct webhook *webhook, const struct webhook_told *told,
                        const struct signing_key *signer, struct arena *arena, struct buffer *body)
{
    const struct event *event = told->event;
    int64_t at_s = event->at_ms / CLOCK_SECOND;
    struct buffer payload;
    struct json_out out;
    char id[37];
    struct text token;

    if (signer == NULL || told->realm == NULL) {
        return false;
    }
    buffer_start(&payload, arena, 512);
    out = json_out_start(&payload, JSON_STYLE_PLAIN);
    codec_uuid_format(told->id, id);
    json_out_open(&out);
    json_out_member(&out, "iss", text_of(told->realm->issuer));
    json_out_member(&out, "jti", text_of(id));
    json_out_member_int(&out, "iat", at_s);
    json_out_member(&out, "aud",
                    text_of(webhook->audience[0] != '\0' ? webhook->audience : webhook->url));
    write_subject(told, &out);
    json_out_key(&out, "events");
    json_out_open(&out);
    json_out_key(&out, SESSION_REVOKED);
    json_out_open(&out);
    json_out_member_int(&out, "event_timestamp", at_s);
    json_out_member(&out, "initiating_entity", text_of(initiator(event)));
    json_out_key(&out, "reason_admin");
    json_out_open(&out);
    json_out_member(&out, "en", text_of(event_meaning(event->kind)));
    json_out_close(&out);
    json_out_close(&out);
    json_out_close(&out);
    json_out_close(&out);
    if (payload.failed ||
        !jws_sign_as(signer, "secevent+jwt", buffer_text(&payload), arena, &token)) {
        return false;
    }
    buffer_add(body, token);
    return true;
}

/* A session of a user, a session of a client, or all sessions of a user. */
static void write_subject(const struct webhook_told *told, struct json_out *out)
{
    bool session = event_has_session(told->event);
    char id[37];

    codec_uuid_format(told->event->session, id);
    json_out_key(out, "sub_id");
    json_out_open(out);
    json_out_member(out, "format", TEXT("complex"));
    if (told->account != NULL) {
        json_out_key(out, "user");
        json_out_open(out);
        json_out_member(out, "format", TEXT("iss_sub"));
        json_out_member(out, "iss", text_of(told->realm->issuer));
        json_out_member(out, "sub", webhook_subject(told));
        json_out_close(out);
    }
    if (session) {
        json_out_key(out, "session");
        json_out_open(out);
        json_out_member(out, "format", TEXT("opaque"));
        json_out_member(out, "id", text_of(id));
        json_out_close(out);
    }
    json_out_close(out);
}

static const char *initiator(const struct event *event)
{
    bool by_user = event->kind == EVENT_LOGOUT || text_is(TEXT("user"), event->cause) ||
                   text_is(TEXT("password-change"), event->cause);

    return by_user                                                  ? "user"
           : event_class(event->kind) == EVENT_CLASS_ADMINISTRATION ? "admin"
                                                                    : "policy";
}
