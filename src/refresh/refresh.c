/* refresh.c: the one operation. Reads top to bottom from the bottom of the file: refresh_begin
 * checks who asks and finds the session, refresh_step lets table.c decide, signs, and leaves at
 * most one write to be made, the last thing that can fail. */
#include "refresh/refresh.h"

#include <string.h>

#include "base/codec.h"
#include "refresh/client_auth.h"
#include "refresh/issue.h"
#include "refresh/password.h"
#include "refresh/place.h"
#include "refresh/table.h"
#include "token/jws.h"
#include "token/layout.h"

/* Losers of a race read again, and the table decides. Each loss means that somebody else's commit
 * went through, so a handful is plenty. */
enum { RACES_LOST_MAX = 16 };

/* One request's working set, in its arena. */
struct refresh {
    struct authority *authority;
    const struct refresh_ask *ask;
    const struct policy *policy;
    struct arena *arena;
    struct refresh_answer *answer;
    struct fault *fault;
    int64_t now_ms;
    struct client_identity client;
    struct place place;
    struct store_grant grant;

    enum outcome outcome; /* when decided, or once the write is made */
    bool decided;
    bool writes; /* `write` is prepared */
    struct store_write write;
    int races_lost;
};

/* ---- does the token belong to who presents it? ---- */

/* RFC 6749 section 6: bound to the client it was issued to. */
static bool client_matches(const struct refresh *run, enum outcome *refusal)
{
    const struct session *session = &run->grant.session;
    bool named = run->client.named;

    if (named && session->client[0] != '\0' &&
        !text_equal(text_of(session->client), text_of(run->client.id))) {
        *refusal = OUTCOME_WRONG_CLIENT;
    } else if (!run->ask->client_bound || named || session->client[0] == '\0') {
        return true;
    } else if (!run->grant.has_client || !run->grant.client.enabled) {
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    } else if (run->grant.client.secret[0] == '\0' && run->grant.client.key[0] == '\0') {
        return true;
    } else {
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    }
    return false;
}

/* WireCash sends the last access token along: ours, of this user and this session; it may have
 * expired, that is why the client is here. */
static bool access_token_matches(struct refresh *run, const struct keyring *keyring,
                                 struct fault *fault)
{
    const struct session *session = &run->grant.session;
    const char *claim = layout_session_claim(run->policy->layout);
    json_t *payload =
        jws_open_any(run->arena, run->ask->access_token, keyring, run->ask->mount->realm, fault);
    struct text named;
    char id[37];

    if (session->has_alias && run->place.generation == 0) {
        return true; /* imported: its access token is another server's, and names no session here */
    }
    codec_uuid_format(session->id, id);
    return payload != NULL && claim != NULL &&
           json_in_text(payload, claim, &named) == JSON_IN_TEXT && text_is(named, id);
}

static bool password_matches(struct refresh *run, const struct account *account,
                             enum outcome *refusal)
{
    switch (password_verify(run->ask->password, account->password)) {
    case PASSWORD_RIGHT:
        return true;
    case PASSWORD_WRONG:
        *refusal = OUTCOME_CREDENTIALS_WRONG;
        return false;
    case PASSWORD_FAULT:
        break;
    }
    fault_set(run->fault, "a password could not be checked: out of memory?");
    *refusal = OUTCOME_FAULT;
    return false;
}

static bool user_matches(struct refresh *run, enum outcome *refusal)
{
    const struct refresh_ask *ask = run->ask;
    const struct account *account = &run->grant.account;

    if (!run->grant.has_account) {
        return true; /* the table words a removed account */
    } else if (ask->username_given && !text_is(ask->username, account->name)) {
        *refusal = OUTCOME_WRONG_USER;
    } else if (ask->password_given) {
        return password_matches(run, account, refusal);
    } else {
        return true;
    }
    return false;
}

static bool check_access_token(struct refresh *run, enum outcome *refusal)
{
    struct fault unready = {""};
    const struct keyring *keyring =
        authority_keyring(run->authority, run->grant.keyring_version, run->fault);

    *refusal = OUTCOME_FAULT;
    if (keyring == NULL) {
        return false;
    } else if (access_token_matches(run, keyring, &unready)) {
        return true;
    } else if (unready.text[0] != '\0') {
        *run->fault = unready;
    } else {
        *refusal = OUTCOME_WRONG_ACCESS_TOKEN;
    }
    return false;
}

/* A stranger's presentation never spends or kills another's token, so all this comes before the
 * table. */
static bool belongs(struct refresh *run, enum outcome *refusal)
{
    if (!text_equal(text_of(run->grant.session.realm), text_of(run->ask->mount->realm))) {
        *refusal = OUTCOME_WRONG_REALM;
        return false;
    } else if (!client_matches(run, refusal) || !user_matches(run, refusal)) {
        return false;
    }
    return !run->ask->access_token_given || check_access_token(run, refusal);
}

/* ---- scope (RFC 6749 section 6; Koppeltaal's own rule) ---- */

static bool choose_scope(const struct refresh *run, struct text *scope)
{
    struct text granted = text_of(run->grant.session.scope);
    struct text asked = run->ask->scope;

    *scope = granted;
    if (run->policy->scope_rule == SCOPE_EXACT) {
        return text_equal(asked, granted);
    }
    if (run->policy->scope_rule == SCOPE_IGNORED || !run->ask->scope_given || asked.size == 0) {
        return true;
    }
    for (struct text rest = asked; rest.size > 0;) {
        struct text word = text_split(&rest, ' ');

        if (word.size == 0 || !text_has_word(granted, word)) {
            return false;
        }
    }
    *scope = asked;
    run->answer->scope_narrowed = !text_equal(asked, granted);
    return true;
}

/* ---- what each decision does ---- */

/* The access token of `generation`, issued at issued_ms. */
static bool sign(struct refresh *run, uint32_t generation, int64_t issued_ms, struct text scope)
{
    return issue_access_token(run->authority, run->ask->mount, &run->grant.session,
                              &run->grant.account, run->grant.keyring_version, generation,
                              issued_ms / CLOCK_SECOND, scope, true, run->arena, run->answer,
                              run->fault);
}

/* c = n on a rotating mount: everything that can fail comes before the only write. */
static enum store_result rotate(struct refresh *run, struct text scope)
{
    const struct session *session = &run->grant.session;
    struct store_rotation rotation = {
        .from = session->generation, .now_ms = run->now_ms, .clock = &run->authority->clock};
    struct text *token = &run->answer->refresh_token;

    memcpy(rotation.id, session->id, sizeof rotation.id);
    rotation.expires_ms = table_next_expiry_ms(run->policy, session->created_ms, run->now_ms);
    if (session->generation == UINT32_MAX) {
        fault_set(run->fault, "a session was renewed 2^32 times");
        return STORE_FAULT;
    }
    if (!sign(run, session->generation + 1, run->now_ms, scope) ||
        !place_mint(run->authority, run->policy->format, session->id, session->generation + 1,
                    run->arena, token, run->fault)) {
        return STORE_FAULT;
    }
    if (run->policy->format == REFRESH_FORMAT_UUID) {
        rotation.has_alias = authority_derived_alias((void *)run->authority->secrets, session->id,
                                                     session->generation + 1, rotation.alias);
        if (!rotation.has_alias) {
            fault_set(run->fault, "cannot derive an alias");
            return STORE_FAULT;
        }
    }
    run->answer->session_expires_ms = rotation.expires_ms;
    store_prepare_rotate(&run->write, &rotation);
    run->writes = true;
    return STORE_OK;
}

/* c = n where nothing rotates: the same refresh token, a fresh access token, and now and then a
 * note that the session is in use. */
static enum store_result renew(struct refresh *run, struct text scope)
{
    const struct session *session = &run->grant.session;

    run->answer->refresh_token = run->ask->refresh_token;
    run->answer->session_expires_ms = table_expires_ms(run->policy, session);
    if (!sign(run, session->generation, run->now_ms, scope)) {
        return STORE_FAULT;
    }
    if (!table_touch_due(run->policy, session, run->now_ms)) {
        return STORE_OK;
    }
    run->answer->session_expires_ms =
        table_next_expiry_ms(run->policy, session->created_ms, run->now_ms);
    store_prepare_touch(&run->write, session->id, session->generation, run->now_ms,
                        run->answer->session_expires_ms);
    run->writes = true;
    return STORE_OK;
}

static void describe(const struct refresh *run, enum event_kind kind, struct event *event)
{
    const struct session *session = &run->grant.session;

    memset(event, 0, sizeof *event);
    event->at_ms = run->now_ms;
    event->kind = kind;
    event->account = session->account;
    event->generation = run->place.generation;
    memcpy(event->session, session->id, sizeof event->session);
    memcpy(event->realm, session->realm, sizeof event->realm);
    memcpy(event->client, session->client, sizeof event->client);
}

static void report(struct refresh *run, enum event_kind kind)
{
    struct event event;

    describe(run, kind, &event);
    store_prepare_event(&run->write, &event);
    run->writes = true;
}

/* The token of n once more. A UUID is found through its alias only: when another mount of the realm
 * made n, there is none, and the native spelling is what every mount accepts. */
static bool mint_again(struct refresh *run)
{
    const struct session *session = &run->grant.session;
    enum refresh_format format = run->policy->format;
    uint8_t alias[SESSION_HASH_SIZE];
    struct place unused;

    if (format == REFRESH_FORMAT_UUID) {
        if (!authority_derived_alias((void *)run->authority->secrets, session->id,
                                     session->generation, alias)) {
            fault_set(run->fault, "cannot derive an alias");
            return false;
        }
        switch (store_alias_find(run->authority->store, alias, unused.session, &unused.generation,
                                 run->fault)) {
        case STORE_OK:
            break;
        case STORE_ABSENT:
            format = REFRESH_FORMAT_NATIVE;
            break;
        case STORE_EXISTS:
        case STORE_STALE:
        case STORE_FAULT:
            return false;
        }
    }
    return place_mint(run->authority, format, session->id, session->generation, run->arena,
                      &run->answer->refresh_token, run->fault);
}

/* c = n - 1 inside a window: the answer of n. `fresh` gives the access token a new time instead of
 * the record's, which a lost answer needs when it is found late. */
static enum store_result answer_again(struct refresh *run, struct text scope, bool fresh)
{
    const struct session *session = &run->grant.session;
    int64_t issued_ms = session->rotated_ms;

    if (fresh || issued_ms + run->policy->access_lifetime_ms <= run->now_ms) {
        issued_ms = run->now_ms;
    }
    run->answer->session_expires_ms = table_expires_ms(run->policy, session);
    if (!run->policy->rotate) {
        run->answer->refresh_token = run->ask->refresh_token;
    } else if (!mint_again(run)) {
        return STORE_FAULT;
    }
    if (!sign(run, session->generation, issued_ms, scope)) {
        return STORE_FAULT;
    }
    if (fresh) {
        report(run, EVENT_RECOVERED);
    }
    return STORE_OK;
}

/* A spent token came back: the session is dead, durably, before the refusal leaves. */
static void punish(struct refresh *run)
{
    struct event event;

    if (run->policy->report_only) {
        report(run, EVENT_REUSE_REPORTED);
        return;
    }
    describe(run, EVENT_REUSE, &event);
    store_prepare_end(&run->write, run->grant.session.id, SESSION_ENDED_REUSE, run->now_ms, &event);
    run->writes = true;
}

/* Grants: scope first, so that a wrong one spends nothing. */
static enum store_result grant(struct refresh *run, enum outcome *outcome)
{
    struct text scope;

    if (!choose_scope(run, &scope)) {
        *outcome = OUTCOME_SCOPE_INVALID;
        return STORE_OK;
    } else if (*outcome == OUTCOME_ROTATED) {
        return rotate(run, scope);
    } else if (*outcome == OUTCOME_RENEWED) {
        return renew(run, scope);
    }
    return answer_again(run, scope, *outcome == OUTCOME_RECOVERED);
}

/* ---- the run ---- */

/* What is known of the session, for the log line and for wording a refusal. */
static void introduce(struct refresh *run)
{
    const struct session *session = &run->grant.session;
    struct refresh_answer *answer = run->answer;

    answer->session_known = true;
    memcpy(answer->session, session->id, sizeof answer->session);
    answer->generation = run->place.generation;
    if (!arena_copy(run->arena, text_of(session->client), &answer->client)) {
        answer->client = (struct text){0};
    }
}

/* One reading of the record and what follows from it, up to the write. */
static enum store_result attempt(struct refresh *run, enum outcome *outcome)
{
    enum store_result result =
        store_grant_find(run->authority->store, run->place.session, &run->grant, run->fault);

    if (result != STORE_OK) {
        *outcome = OUTCOME_TOKEN_UNKNOWN;
        return result == STORE_ABSENT ? STORE_OK : result;
    }
    introduce(run);
    if (!belongs(run, outcome)) {
        return STORE_OK;
    }
    *outcome = table_decide(run->policy, &run->grant, run->place.generation, run->client.proved,
                            run->now_ms);
    if (*outcome == OUTCOME_FAULT) {
        fault_set(run->fault, "the clock is far behind the time of this session's last renewal");
        return STORE_FAULT;
    } else if (outcome_is_grant(*outcome)) {
        return grant(run, outcome);
    } else if (*outcome == OUTCOME_TOKEN_REUSED) {
        punish(run);
    } else if (*outcome == OUTCOME_TOKEN_FROM_FUTURE) {
        report(run, EVENT_FUTURE);
    }
    return STORE_OK;
}

/* kopong's documented form: an (expired) access token, whose signature proves only whose it was;
 * the password proves the holder, and a new session begins. */
static enum outcome login_with_access_token(struct refresh *run)
{
    const struct refresh_ask *ask = run->ask;
    const struct keyring *keyring = authority_keyring_now(run->authority, run->fault);
    struct account *account = &run->grant.account;
    struct issue_ask issue = {.mount = ask->mount, .account = account};
    char name[ACCOUNT_NAME_MAX + 1];
    struct text subject;
    enum outcome refusal;
    struct fault unready = {""};
    json_t *payload;

    if (keyring == NULL) {
        return OUTCOME_FAULT;
    }
    payload = jws_open_any(run->arena, ask->refresh_token, keyring, ask->mount->realm, &unready);
    if (payload == NULL && unready.text[0] != '\0') {
        *run->fault = unready;
        return OUTCOME_FAULT;
    } else if (payload == NULL || json_in_text(payload, "sub", &subject) != JSON_IN_TEXT) {
        return OUTCOME_TOKEN_INVALID;
    } else if (!text_equal(subject, ask->username) || !text_copy(subject, name, sizeof name)) {
        return OUTCOME_WRONG_USER;
    }
    switch (store_account_find(run->authority->store, name, account, run->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return OUTCOME_ACCOUNT_GONE;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    if (!password_matches(run, account, &refusal)) {
        return refusal;
    } else if (!account->enabled) {
        return OUTCOME_ACCOUNT_DISABLED;
    }
    return issue_session(run->authority, &issue, run->arena, run->answer, run->fault);
}

static void decide(struct refresh *run, enum outcome outcome)
{
    run->outcome = outcome;
    run->decided = true;
}

/* Nothing is decided yet only when there is a session to look at. */
static void find(struct refresh *run)
{
    switch (place_locate(run->authority, run->ask->refresh_token, run->arena, &run->place,
                         run->fault)) {
    case PLACE_FOUND:
        break;
    case PLACE_INVALID:
        decide(run,
               run->ask->password_given ? login_with_access_token(run) : OUTCOME_TOKEN_INVALID);
        break;
    case PLACE_UNKNOWN:
        decide(run, OUTCOME_TOKEN_UNKNOWN);
        break;
    case PLACE_FAULT:
        decide(run, OUTCOME_FAULT);
        break;
    }
}

struct refresh *refresh_begin(struct authority *authority, const struct refresh_ask *ask,
                              struct arena *arena, struct refresh_answer *answer,
                              struct fault *fault)
{
    struct refresh *run = arena_alloc(arena, sizeof *run);

    memset(answer, 0, sizeof *answer);
    answer->now_ms = clock_now_ms(&authority->clock);
    if (run == NULL) {
        fault_set(fault, "the request's memory is used up");
        return NULL;
    }
    memset(run, 0, sizeof *run);
    run->authority = authority;
    run->ask = ask;
    run->policy = &ask->mount->policy;
    run->arena = arena;
    run->answer = answer;
    run->fault = fault;
    run->now_ms = answer->now_ms;
    switch (client_auth_check(authority, ask, run->now_ms, arena, &run->client, fault)) {
    case CLIENT_ACCEPTED:
        find(run);
        break;
    case CLIENT_REFUSED:
        decide(run, OUTCOME_CLIENT_AUTH_FAILED);
        break;
    case CLIENT_DISABLED:
        decide(run, OUTCOME_CLIENT_UNAUTHORIZED);
        break;
    case CLIENT_FAULT:
        decide(run, OUTCOME_FAULT);
        break;
    }
    return run;
}

struct store_write *refresh_step(struct refresh *run, enum outcome *outcome)
{
    if (!run->decided) {
        run->writes = false;
        run->decided = true;
        if (attempt(run, &run->outcome) != STORE_OK) {
            run->outcome = OUTCOME_FAULT;
            run->writes = false;
        }
    }
    *outcome = run->outcome;
    return run->writes ? &run->write : NULL;
}

void refresh_written(struct refresh *run, enum store_result result)
{
    run->writes = false;
    switch (result) {
    case STORE_OK:
        return;
    case STORE_STALE:
    case STORE_ABSENT: /* swept since it was read, and the next reading will say so */
        run->decided = ++run->races_lost == RACES_LOST_MAX;
        run->outcome = OUTCOME_FAULT;
        if (run->decided) {
            fault_set(run->fault, "lost %d races for one session", RACES_LOST_MAX);
        }
        return;
    case STORE_EXISTS:
    case STORE_FAULT:
        run->outcome = OUTCOME_FAULT;
        return;
    }
}

enum outcome refresh_run(struct authority *authority, const struct refresh_ask *ask,
                         struct arena *arena, struct refresh_answer *answer, struct fault *fault)
{
    struct refresh *run = refresh_begin(authority, ask, arena, answer, fault);
    struct store_write *write;
    enum outcome outcome = OUTCOME_FAULT;

    while (run != NULL && (write = refresh_step(run, &outcome)) != NULL) {
        refresh_written(run, store_write(authority->store, write, fault));
    }
    return outcome;
}

enum outcome refresh_judge(struct authority *authority, const struct mount *mount,
                           struct text refresh_token, struct arena *arena,
                           struct refresh_verdict *verdict, struct fault *fault)
{
    const struct session *session = &verdict->grant.session;
    struct place place;
    int64_t window;

    memset(verdict, 0, sizeof *verdict);
    verdict->now_ms = clock_now_ms(&authority->clock);
    switch (place_locate(authority, refresh_token, arena, &place, fault)) {
    case PLACE_FOUND:
        break;
    case PLACE_INVALID:
        return verdict->outcome = OUTCOME_TOKEN_INVALID;
    case PLACE_UNKNOWN:
        return verdict->outcome = OUTCOME_TOKEN_UNKNOWN;
    case PLACE_FAULT:
        return verdict->outcome = OUTCOME_FAULT;
    }
    switch (store_grant_find(authority->store, place.session, &verdict->grant, fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return verdict->outcome = OUTCOME_TOKEN_UNKNOWN;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return verdict->outcome = OUTCOME_FAULT;
    }
    verdict->session_found = true;
    verdict->generation = place.generation;
    verdict->expires_ms = table_expires_ms(&mount->policy, session);
    verdict->outcome =
        text_equal(text_of(session->realm), text_of(mount->realm))
            ? table_decide(&mount->policy, &verdict->grant, place.generation, true, verdict->now_ms)
            : OUTCOME_WRONG_REALM;
    if (verdict->outcome == OUTCOME_REPLAYED || verdict->outcome == OUTCOME_RECOVERED) {
        window = verdict->outcome == OUTCOME_REPLAYED ? mount->policy.concurrency_window_ms
                                                      : mount->policy.recovery_window_ms;
        verdict->window_left_ms = session->written_ms + window - verdict->now_ms;
    }
    return verdict->outcome;
}
