/* SPDX-License-Identifier: ISC */
/* refresh.c: the refresh operation (design.md section 4). begin (client_auth.c, token_ref.c) checks
 * who asks and finds the session; step reads its record, sees whose it is (ownership.c), lets
 * decision.c decide, signs, and leaves at most one write, the last thing that can fail; written
 * takes what came of it. Knows sessions, policies and keys; does not know HTTP or any dialect's
 * words. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "model/scope.h"
#include "operation/access_token.h"
#include "operation/adopt.h"
#include "operation/client_auth.h"
#include "operation/decision.h"
#include "operation/hook.h"
#include "operation/issue.h"
#include "operation/operation.h"
#include "operation/ownership.h"
#include "operation/possession.h"
#include "operation/request_event.h"
#include "operation/target.h"
#include "operation/token_ref.h"
#include "token/jws.h"
#include "token/layout.h"
#include "token/refresh_token.h"

/* Losers of a race read again, and the table decides. Each loss means that another commit went
 * through, so a handful is plenty. */
enum { RACES_LOST_MAX = 16 };

/* Of candidates: the store is asked about that many. */
enum { CANDIDATES_TRIED = 8 };

/* A window begins when the write is durable, and its claims are chosen before. */
enum { WRITE_TAKES_MS = 10 * CLOCK_SECOND };

/* One request's working set, in its arena. */
struct refresh {
    struct request *request;
    const struct refresh_input *ask;
    struct policy policy; /* the one in force, once the session is read */
    struct arena *arena;
    struct answer *answer;
    struct fault *fault;
    struct clock_moment now;
    struct client_identity client;
    struct token_ref ref;
    bool current; /* its generation is the session's, whatever that is: it is an access token */

    enum outcome outcome; /* when decided, or once the write is made */
    bool decided;
    bool writes; /* `write` is prepared */
    struct store_write write;
    int races_lost;
    struct adoption *adoption; /* first the token's session is to begin; NULL = no more */
    bool repeated;            /* what proves the client was used before, with this refresh token: */
    struct client_once again; /* … that; it is in client.once no more */
    int64_t used_ms;          /* … then */

    struct session_view *grant;    /* the session, once it is read */
    char scope[SESSION_SCOPE_MAX]; /* what the access token carries, where less was asked for: last,
                                      because it is large and not zeroed */
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum token_ref_result find(struct refresh *refresh);
static enum token_ref_result find_by_access_token(struct refresh *refresh);
static bool has_expired(const struct refresh *refresh);
static void authenticate(struct refresh *refresh, enum token_ref_result found);
static void adopt(struct refresh *refresh);
static struct store_write *adoption_step(struct refresh *refresh);
static bool choose(struct refresh *refresh);
static void look_for_uses(struct refresh *refresh);
static void refuse_replay(struct refresh *refresh, const struct client_once *once);
static void decide(struct refresh *refresh, enum outcome outcome);
static void use_up(struct refresh *refresh);
static bool may_be_repeated(const struct refresh *refresh, enum outcome outcome);
static bool attempt(struct refresh *refresh, enum outcome *outcome);
static bool judge(struct refresh *refresh, enum outcome *outcome);
static enum decision_evidence evidence_of(const struct refresh *refresh);
static bool grant(struct refresh *refresh, enum outcome *outcome);
static bool choose_scope(struct refresh *refresh, struct text *scope);
static bool ask_hook(struct refresh *refresh, struct text scope, enum outcome *outcome);
static bool rotate(struct refresh *refresh, struct text scope, uint32_t to);
static uint8_t secret_of_next(const struct refresh *refresh, uint32_t to);
static bool roll_forward(struct refresh *refresh, struct text scope);
static bool renew(struct refresh *refresh, struct text scope);
static bool answer_again(struct refresh *refresh, struct text scope, bool fresh);
static bool mint_again(struct refresh *refresh);
static void punish(struct refresh *refresh);
static void report(struct refresh *refresh, enum event_kind kind);
static void report_if_wanted(struct refresh *refresh, enum event_kind kind);
static void attach_if_wanted(struct refresh *refresh, enum event_kind kind);
static bool is_wanted(const struct refresh *refresh, enum event_kind kind);
static void start_event(const struct refresh *refresh, enum event_kind kind, struct event *event);
static enum event_network compare_network(const struct refresh *refresh);
static int64_t renewed_expiry_ms(const struct refresh *refresh);
static bool sign(struct refresh *refresh, uint32_t generation, int64_t issued_ms,
                 struct text scope);
static bool derive_alias(const struct refresh *refresh, uint32_t generation, uint8_t secret,
                         uint8_t alias[SESSION_HASH_SIZE]);

const struct operation operation_refresh = {
    .word = "refresh", .finds_client = true, .begin = begin, .step = step, .written = written};

/* ---- the steps ---- */

static bool begin(struct request *request)
{
    struct refresh *refresh =
        operation_state(request, sizeof *refresh, offsetof(struct refresh, scope));
    enum token_ref_result found;

    if (refresh == NULL) {
        return false;
    }
    refresh->now = clock_moment(&request->issuer->clock);
    request->answer.now_ms = refresh->now.wall_ms;
    refresh->request = request;
    refresh->ask = &request->input.refresh;
    refresh->arena = request->arena;
    refresh->answer = &request->answer;
    refresh->fault = &request->fault;
    found = find(refresh);
    adopt(refresh);
    authenticate(refresh, found);
    return true;
}

/* The token first, because only beside one of ours a secret is worth a hash; but of who is not the
 * client it says, nothing is told about the token. */
static void authenticate(struct refresh *refresh, enum token_ref_result found)
{
    struct request *request = refresh->request;
    enum client_refusal not_adopted = request->answer.refusal;
    enum outcome refusal;

    if (found != TOKEN_REF_FAULT &&
        !client_auth_check(request, found == TOKEN_REF_FOUND ? &refresh->ref : NULL,
                           refresh->now.wall_ms, &refresh->client, &refusal)) {
        decide(refresh, refusal);
    } else if (found != TOKEN_REF_FAULT) {
        request->answer.refusal = not_adopted;
        look_for_uses(refresh);
        if (!refresh->decided && refresh->adoption != NULL &&
            !adopt_belongs(refresh->adoption, &refresh->client, &refusal)) {
            decide(refresh, refusal);
        }
    }
    refresh->adoption = refresh->decided ? NULL : refresh->adoption;
}

/* Is it a token of another server that shall begin a session first? Otherwise it is refused. */
static void adopt(struct refresh *refresh)
{
    struct request *request = refresh->request;
    struct text token = refresh->ask->refresh_token;
    enum outcome refusal;

    if (refresh->outcome != OUTCOME_TOKEN_INVALID || !adopt_considers(request, token)) {
        return;
    }
    refresh->adoption = adopt_begin(request, token, &refusal);
    refresh->decided = false;
    if (refresh->adoption == NULL) {
        decide(refresh, refusal);
    }
}

/* Then it is a token like others. */
static struct store_write *adoption_step(struct refresh *refresh)
{
    enum outcome outcome = OUTCOME_FAULT;
    struct store_write *write = adopt_step(refresh->adoption, &outcome);

    if (write != NULL) {
        return write;
    }
    refresh->adoption = NULL;
    if (outcome == OUTCOME_ROTATED) {
        (void)find(refresh); /* which decides unless it is found */
    } else {
        decide(refresh, outcome);
    }
    return NULL;
}

/* An assertion proves its client once. With the same refresh token again it is the same request,
 * whose answer was lost. */
static void look_for_uses(struct refresh *refresh)
{
    struct client_identity *client = &refresh->client;
    size_t fresh = 0;

    for (size_t i = 0; i < client->once_count; i++) {
        const struct client_once once = client->once[i];
        struct mark used;

        switch (client_auth_find_use(refresh->request, &once, refresh->now.wall_ms, &used)) {
        case STORE_OK:
            if (!secret_equal(used.note, once.mark.note, sizeof used.note)) {
                refuse_replay(refresh, &once);
                return;
            } else if (!refresh->repeated || used.at_ms < refresh->used_ms) {
                refresh->repeated = true;
                refresh->again = once;
                refresh->used_ms = used.at_ms;
            }
            break;
        case STORE_ABSENT:
        case STORE_EXISTS:
        case STORE_STALE:
            client->once[fresh++] = once;
            break;
        case STORE_FAULT:
            decide(refresh, OUTCOME_FAULT);
            return;
        }
    }
    client->once_count = fresh;
}

static void refuse_replay(struct refresh *refresh, const struct client_once *once)
{
    refresh->answer->refusal = once->reason;
    decide(refresh, once->refusal);
}

/* Nothing is decided yet only when there is a session to look at. */
static enum token_ref_result find(struct refresh *refresh)
{
    enum token_ref_result found;

    if (!choose(refresh)) {
        decide(refresh, OUTCOME_PARAMETER_REPEATED);
        return TOKEN_REF_INVALID;
    } else if (refresh->ask->by_access_token &&
               refresh_token_shape(refresh->ask->refresh_token) != REFRESH_SHAPE_JWT) {
        decide(refresh, OUTCOME_TOKEN_INVALID);
        return TOKEN_REF_INVALID;
    }
    found = token_ref_locate(refresh->request->issuer, refresh->ask->refresh_token, refresh->arena,
                             &refresh->ref, refresh->fault);
    if (found == TOKEN_REF_INVALID && refresh->ask->by_access_token) {
        return find_by_access_token(refresh);
    }
    switch (found) {
    case TOKEN_REF_FOUND:
        if (refresh->ask->by_access_token && has_expired(refresh)) {
            decide(refresh, OUTCOME_TOKEN_EXPIRED);
        }
        break;
    case TOKEN_REF_INVALID:
        decide(refresh, OUTCOME_TOKEN_INVALID);
        break;
    case TOKEN_REF_UNKNOWN:
        decide(refresh, OUTCOME_TOKEN_UNKNOWN);
        break;
    case TOKEN_REF_FAULT:
        decide(refresh, OUTCOME_FAULT);
        break;
    }
    return found;
}

/* One for another resource may come from that one. */
static enum token_ref_result find_by_access_token(struct refresh *refresh)
{
    struct request *request = refresh->request;
    enum outcome refusal;
    const json_t *payload = access_token_locate(
        request, refresh->ask->refresh_token, refresh->now.wall_ms, refresh->ref.session, &refusal);

    refresh->current = payload != NULL && access_token_is_for_us(request->realm, payload);
    if (refresh->current) {
        return TOKEN_REF_FOUND;
    }
    decide(refresh, payload != NULL ? OUTCOME_TOKEN_INVALID : refusal);
    return refresh->outcome == OUTCOME_FAULT ? TOKEN_REF_FAULT : TOKEN_REF_INVALID;
}

/* An access token of another server, which is known here, is good until its own end, too. */
static bool has_expired(const struct refresh *refresh)
{
    struct jws jws;
    const json_t *payload = jws_gate(refresh->arena, refresh->ask->refresh_token, &jws)
                                ? json_in_object(refresh->arena, jws.payload_json, NULL)
                                : NULL;

    return json_object_get(payload, "exp") != NULL &&
           !access_token_is_in_time(payload, refresh->now.wall_ms);
}

/* How good a candidate is, the better the greater. */
enum candidate { CANDIDATE_UNKNOWN, CANDIDATE_REFUSED, CANDIDATE_FAULT, CANDIDATE_GOOD };

static enum candidate try_candidate(struct refresh *refresh, struct text token)
{
    enum page page = refresh->request->page;
    enum outcome outcome;
    bool judged;

    switch (token_ref_locate(refresh->request->issuer, token, refresh->arena, &refresh->ref,
                             refresh->fault)) {
    case TOKEN_REF_FOUND:
        break;
    case TOKEN_REF_INVALID:
    case TOKEN_REF_UNKNOWN:
        return CANDIDATE_UNKNOWN;
    case TOKEN_REF_FAULT:
        return CANDIDATE_FAULT;
    }
    judged = judge(refresh, &outcome);
    refresh->request->page = page; /* the client of another may not say what this page may read */
    if (!judged || outcome == OUTCOME_FAULT) {
        return CANDIDATE_FAULT;
    }
    return outcome_is_grant(outcome) ? CANDIDATE_GOOD : CANDIDATE_REFUSED;
}

/* Does this token carry its own proof? One that does is tried before those that only the store can
 * tell from garbage, so that garbage leaves room for it. */
static bool is_native(const struct refresh *refresh, struct text token)
{
    struct token_ref unused;
    uint8_t secret;

    return refresh_token_native_open(refresh->request->issuer->secrets, token, unused.session,
                                     &unused.generation, &secret);
}

struct choice {
    enum candidate best;
    struct token_ref ref;
    size_t tried;
};

static bool choose_among(struct refresh *refresh, size_t from, size_t to, struct choice *choice);

/* Of several tokens the one that would be granted, and of one session's the newest; what is left of
 * an older cookie harms nothing. False: two good ones of different sessions, and none may be chosen
 * for the user. */
static bool choose(struct refresh *refresh)
{
    const struct refresh_input *input = &refresh->request->input.refresh;
    struct choice choice = {.best = CANDIDATE_UNKNOWN};

    return choose_among(refresh, 0, input->preferred_count, &choice) &&
           (choice.best >= CANDIDATE_FAULT ||
            choose_among(refresh, input->preferred_count, input->candidate_count, &choice));
}

static bool choose_among(struct refresh *refresh, size_t from, size_t to, struct choice *choice)
{
    struct refresh_input *input = &refresh->request->input.refresh;

    for (int native = 1; native >= 0; native--) {
        for (size_t i = from; i < to && choice->tried < CANDIDATES_TRIED; i++) {
            struct text token = input->candidates[i];

            if (is_native(refresh, token) != (native == 1)) {
                continue;
            }
            choice->tried++;
            enum candidate candidate = try_candidate(refresh, token);
            bool both_good = candidate == CANDIDATE_GOOD && choice->best == CANDIDATE_GOOD;
            if (both_good && !secret_equal(refresh->ref.session, choice->ref.session,
                                           sizeof choice->ref.session)) {
                return false;
            } else if (candidate > choice->best ||
                       (both_good && refresh->ref.generation > choice->ref.generation)) {
                choice->best = candidate;
                choice->ref = refresh->ref;
                input->refresh_token = token;
            }
        }
    }
    return true;
}

static void decide(struct refresh *refresh, enum outcome outcome)
{
    refresh->outcome = outcome;
    refresh->decided = true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct refresh *refresh = request->state;
    struct store_write *adoption = refresh->adoption != NULL ? adoption_step(refresh) : NULL;

    if (adoption != NULL) {
        return adoption;
    } else if (!refresh->decided) {
        refresh->writes = false;
        refresh->decided = true;
        if (!attempt(refresh, &refresh->outcome)) {
            refresh->outcome = OUTCOME_FAULT;
            refresh->writes = false;
        }
        use_up(refresh);
    }
    *outcome = refresh->outcome;
    return refresh->writes ? &refresh->write : NULL;
}

/* In the commit of what it brings about; a request that brings about nothing does not use it up. */
static void use_up(struct refresh *refresh)
{
    if (refresh->client.once_count == 0 ||
        !(refresh->writes || outcome_is_grant(refresh->outcome))) {
        return;
    } else if (!refresh->writes) {
        store_prepare_attached(&refresh->write, refresh->now.wall_ms);
        refresh->writes = true;
    }
    client_auth_attach(&refresh->client, &refresh->write);
}

static void written(struct request *request, enum store_result result)
{
    struct refresh *refresh = request->state;

    if (refresh->adoption != NULL) {
        adopt_written(refresh->adoption, result);
        return;
    }
    refresh->writes = false;
    switch (result) {
    case STORE_OK:
        return;
    case STORE_STALE:
    case STORE_ABSENT: /* swept since it was read, and the next reading will say so */
    case STORE_EXISTS: /* another request has used the assertion */
        refresh->decided = ++refresh->races_lost == RACES_LOST_MAX;
        refresh->outcome = OUTCOME_FAULT;
        if (refresh->decided) {
            fault_set(refresh->fault, "lost %d races for one session", RACES_LOST_MAX);
        } else if (result == STORE_EXISTS) {
            look_for_uses(refresh);
        }
        return;
    case STORE_FAULT:
        refresh->outcome = OUTCOME_FAULT;
        return;
    }
}

/* One reading of the record and what follows from it, up to the write. False with the fault. */
static bool attempt(struct refresh *refresh, enum outcome *outcome)
{
    if (!judge(refresh, outcome)) {
        return false;
    } else if (refresh->repeated && !may_be_repeated(refresh, *outcome)) {
        refuse_replay(refresh, &refresh->again);
        *outcome = refresh->outcome;
    } else if (outcome_is_grant(*outcome)) {
        return grant(refresh, outcome);
    } else if (*outcome == OUTCOME_TOKEN_REUSED) {
        punish(refresh);
    }
    return true;
}

/* The record as it is now, and what is to be said to the token. False with the fault. */
static bool judge(struct refresh *refresh, enum outcome *outcome)
{
    *outcome = operation_view_session(refresh->request, refresh->ref.session, &refresh->grant);
    if (*outcome != OUTCOME_SERVED) {
        return *outcome != OUTCOME_FAULT;
    } else if (refresh->current) {
        refresh->ref.generation = refresh->grant->session.generation;
    }
    operation_tell_session(refresh->request, &refresh->grant->session, refresh->ref.generation);
    policy_effective(&refresh->request->realm->policy,
                     refresh->grant->has_client ? &refresh->grant->client : NULL, &refresh->policy);
    refresh->answer->session_ends_ms = decision_ends_ms(&refresh->policy, &refresh->grant->session);
    if (ownership_check(refresh->request, refresh->grant, &refresh->client, &refresh->ref,
                        outcome) &&
        possession_matches(refresh->request, &refresh->grant->session, outcome) &&
        possession_suffices(refresh->request, &refresh->policy, outcome)) {
        *outcome = decision_make(&refresh->policy, refresh->grant, refresh->ref.generation,
                                 evidence_of(refresh), &refresh->now);
    }
    return true;
}

/* possession_matches has compared the key. */
static enum decision_evidence evidence_of(const struct refresh *refresh)
{
    if (refresh->grant->session.key_kind != SESSION_KEY_NONE) {
        return DECISION_KEY_PROVED;
    }
    return refresh->client.proved ? DECISION_CLIENT_PROVED : DECISION_NO_EVIDENCE;
}

/* Is it the same request once more, inside the concurrency window? Where nothing rotates, that runs
 * from when the assertion was used. */
static bool may_be_repeated(const struct refresh *refresh, enum outcome outcome)
{
    int64_t since_ms = refresh->now.wall_ms - refresh->used_ms;

    return outcome == OUTCOME_REPLAYED ||
           (outcome == OUTCOME_RENEWED && since_ms <= refresh->policy.concurrency_window_ms) ||
           (!outcome_is_grant(outcome) && outcome != OUTCOME_TOKEN_REUSED);
}

/* ---- what each decision does ---- */

/* Grants: scope, audiences and hook first, so that what they refuse spends nothing. False with the
 * fault. */
static bool grant(struct refresh *refresh, enum outcome *outcome)
{
    struct text scope;

    if (!choose_scope(refresh, &scope)) {
        refresh->answer->granted = text_of(refresh->grant->session.scope);
        *outcome = OUTCOME_SCOPE_INVALID;
        return true;
    } else if (!target_choose(refresh->request, &refresh->grant->session, outcome) ||
               !ask_hook(refresh, scope, outcome)) {
        return true;
    } else if (*outcome == OUTCOME_ROTATED) {
        return rotate(refresh, scope, refresh->grant->session.generation + 1);
    } else if (*outcome == OUTCOME_RENEWED) {
        return renew(refresh, scope);
    } else if (*outcome == OUTCOME_ROLLED_FORWARD) {
        return roll_forward(refresh, scope);
    }
    return answer_again(refresh, scope, *outcome == OUTCOME_RECOVERED);
}

/* RFC 6749 section 6, or exactly the scope that was granted. False: the scope is not one that this
 * access token may carry. */
static bool choose_scope(struct refresh *refresh, struct text *scope)
{
    struct text granted = text_of(refresh->grant->session.scope);
    struct text asked = refresh->ask->scope;

    *scope = granted;
    if (granted.size > 0 && !refresh->policy.layout->says_scope && !refresh->policy.scope_loss) {
        return false; /* a token without it might be taken for one that may do everything */
    } else if (refresh->policy.scope_rule == SCOPE_EXACT) {
        return scope_covers(granted, asked) && scope_covers(asked, granted);
    } else if (refresh->policy.scope_rule == SCOPE_IGNORED || !refresh->ask->scope_given ||
               asked.size == 0) {
        return true;
    }
    if (!scope_covers(granted, asked)) {
        return false;
    }
    *scope = scope_common(granted, asked, refresh->scope);
    refresh->answer->scope_narrowed = !text_equal(*scope, granted);
    return true;
}

/* False with the refusal, or OUTCOME_FAULT with the fault. */
static bool ask_hook(struct refresh *refresh, struct text scope, enum outcome *outcome)
{
    const struct session_view *view = refresh->grant;
    struct hook_question question = {.session = &view->session,
                                     .account = view->has_account ? &view->account : NULL,
                                     .scope = scope,
                                     .generation = view->session.generation};
    enum outcome refusal;

    if (*outcome == OUTCOME_ROTATED) {
        question.generation++;
    } else if (*outcome == OUTCOME_ROLLED_FORWARD) {
        question.generation = refresh->ref.generation + (refresh->policy.rotate ? 1 : 0);
    }
    if (*outcome != OUTCOME_RENEWED && *outcome != OUTCOME_RECOVERED) {
        question.again_ms = refresh->policy.concurrency_window_ms + WRITE_TAKES_MS;
    }
    if (hook_ask(refresh->request, &question, &refusal)) {
        return true;
    }
    *outcome = refusal;
    return false;
}

/* c = n on a rotating mount: generation `to` with its event (NULL = none). Everything that can fail
 * comes before the only write, which alone knows when a session has used up its generations. */
static bool rotate(struct refresh *refresh, struct text scope, uint32_t to)
{
    const struct session *session = &refresh->grant->session;
    struct store_rotation rotation = {.from = session->generation,
                                      .to = to,
                                      .window_ms = refresh->policy.concurrency_window_ms,
                                      .now_ms = refresh->now.wall_ms,
                                      .secret = secret_of_next(refresh, to)};
    struct text *token = &refresh->answer->refresh_token;

    memcpy(rotation.id, session->id, sizeof rotation.id);
    rotation.client_secret = refresh->client.secret;
    rotation.expires_ms = renewed_expiry_ms(refresh);
    if (!sign(refresh, to, refresh->now.wall_ms, scope) ||
        !operation_network(refresh->request, session->id, rotation.network) ||
        !token_ref_mint(refresh->request->issuer, refresh->policy.format, rotation.secret,
                        session->id, to, refresh->arena, token, refresh->fault)) {
        return false;
    }
    if (refresh->policy.format == REFRESH_FORMAT_UUID) {
        rotation.has_alias = derive_alias(refresh, to, rotation.secret, rotation.alias);
        if (!rotation.has_alias) {
            return false;
        }
    }
    refresh->answer->session_expires_ms = rotation.expires_ms;
    store_prepare_rotate(&refresh->write, &rotation);
    attach_if_wanted(refresh, EVENT_REFRESHED);
    refresh->writes = true;
    return true;
}

/* Where nothing rotates the token stays as it is, and so does what it is under. */
static uint8_t secret_of_next(const struct refresh *refresh, uint32_t to)
{
    const struct issuer *issuer = refresh->request->issuer;
    const struct session *session = &refresh->grant->session;

    return to == refresh->ref.generation ? session->secret
                                         : token_ref_next_secret(issuer, refresh->policy.format,
                                                                 session, refresh->now.wall_ms);
}

/* c > n: only this server can have issued it, so the store has lost history. The record moves to c
 * and is renewed from there in the same commit. What came between is as good as spent now. */
static bool roll_forward(struct refresh *refresh, struct text scope)
{
    uint32_t presented = refresh->ref.generation;
    struct event event;

    if (!rotate(refresh, scope, refresh->policy.rotate ? presented + 1 : presented)) {
        return false;
    }
    start_event(refresh, EVENT_ROLLED_FORWARD, &event);
    snprintf(event.note, sizeof event.note, "the store knew generation %" PRIu32 " only",
             refresh->grant->session.generation);
    store_attach_event(&refresh->write, &event);
    return true;
}

/* c = n where nothing rotates: the same refresh token, a fresh access token, and now and then a
 * note that the session is in use. */
static bool renew(struct refresh *refresh, struct text scope)
{
    const struct session *session = &refresh->grant->session;
    const struct client_secret *secret = NULL;

    if (refresh->grant->has_client) {
        secret = client_secret_find(&refresh->grant->client, refresh->client.secret);
    }
    refresh->answer->refresh_token = refresh->ask->refresh_token;
    refresh->answer->session_expires_ms = decision_expires_ms(&refresh->policy, session);
    if (!sign(refresh, session->generation, refresh->now.wall_ms, scope)) {
        return false;
    }
    if (!decision_touch_due(&refresh->policy, session, refresh->now.wall_ms) &&
        !client_use_due(secret, refresh->now.wall_ms)) {
        report_if_wanted(refresh, EVENT_REFRESHED);
        return true;
    }
    refresh->answer->session_expires_ms = renewed_expiry_ms(refresh);
    store_prepare_touch(&refresh->write, session->id, session->generation, refresh->now.wall_ms,
                        refresh->answer->session_expires_ms);
    refresh->write.of.touch.client_secret = refresh->client.secret;
    attach_if_wanted(refresh, EVENT_REFRESHED);
    refresh->writes = true;
    return operation_network(refresh->request, session->id, refresh->write.of.touch.network);
}

/* A spent token inside a window: the answer of n. `fresh` gives the access token a new time instead
 * of the record's, which a lost answer needs when it is found late. */
static bool answer_again(struct refresh *refresh, struct text scope, bool fresh)
{
    const struct session *session = &refresh->grant->session;
    int64_t issued_ms = session->rotated_ms;
    int64_t lifetime_s;

    if (!issue_access_lifetime(refresh->request, &refresh->policy, session, session->generation,
                               &lifetime_s)) {
        return false;
    } else if (fresh || issued_ms + lifetime_s * CLOCK_SECOND <= refresh->now.wall_ms) {
        issued_ms = refresh->now.wall_ms;
    }
    refresh->answer->session_expires_ms = decision_expires_ms(&refresh->policy, session);
    if (!policy_can_rotate(&refresh->policy)) {
        refresh->answer->refresh_token = refresh->ask->refresh_token;
    } else if (!mint_again(refresh)) {
        return false;
    }
    if (!sign(refresh, session->generation, issued_ms, scope)) {
        return false;
    }
    if (fresh) {
        report(refresh, EVENT_RECOVERED);
    } else {
        report_if_wanted(refresh, EVENT_REPLAYED);
    }
    return true;
}

/* The token of n once more. A UUID is found through its alias only: when another mount of the realm
 * made n, there is none, and the native spelling is what every mount accepts. */
static bool mint_again(struct refresh *refresh)
{
    const struct session *session = &refresh->grant->session;
    enum refresh_format format = refresh->policy.format;
    uint8_t alias[SESSION_HASH_SIZE];
    struct token_ref unused;

    if (format == REFRESH_FORMAT_UUID) {
        if (!derive_alias(refresh, session->generation, session->secret, alias)) {
            return false;
        }
        switch (store_alias_find(refresh->request->issuer->store, alias, unused.session,
                                 &unused.generation, refresh->fault)) {
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
    return token_ref_mint(refresh->request->issuer, format, session->secret, session->id,
                          session->generation, refresh->arena, &refresh->answer->refresh_token,
                          refresh->fault);
}

/* A spent token came back: the session is dead, durably, before the refusal leaves. */
static void punish(struct refresh *refresh)
{
    struct event event;

    if (refresh->policy.report_only) {
        report(refresh, EVENT_REUSE_REPORTED);
        return;
    }
    start_event(refresh, EVENT_REUSE, &event);
    store_prepare_end(&refresh->write, refresh->grant->session.id, SESSION_ENDED_REUSE,
                      refresh->now.wall_ms, &refresh->grant->session, &event);
    refresh->writes = true;
}

static void report(struct refresh *refresh, enum event_kind kind)
{
    struct event event;

    start_event(refresh, kind, &event);
    store_prepare_event(&refresh->write, &event);
    refresh->writes = true;
}

/* What works as it should costs nothing where no one wants to be told. */
static void report_if_wanted(struct refresh *refresh, enum event_kind kind)
{
    if (is_wanted(refresh, kind)) {
        report(refresh, kind);
    }
}

static void attach_if_wanted(struct refresh *refresh, enum event_kind kind)
{
    struct event event;

    if (is_wanted(refresh, kind)) {
        start_event(refresh, kind, &event);
        store_attach_event(&refresh->write, &event);
    }
}

static bool is_wanted(const struct refresh *refresh, enum event_kind kind)
{
    return store_wants(refresh->request->issuer->store, kind, refresh->grant->session.realm);
}

static void start_event(const struct refresh *refresh, enum event_kind kind, struct event *event)
{
    request_event_of_session(event, kind, refresh->request, &refresh->grant->session,
                             refresh->ref.generation, refresh->now.wall_ms);
    event->spent_ago_ms = decision_spent_ago_ms(&refresh->grant->session, refresh->ref.generation,
                                                refresh->now.wall_ms);
    if (refresh->ref.generation < refresh->grant->session.generation) {
        event->network = compare_network(refresh);
    }
}

/* With the network that renewed the session last. */
static enum event_network compare_network(const struct refresh *refresh)
{
    static const uint8_t unknown[SESSION_NETWORK_SIZE];
    const struct session *session = &refresh->grant->session;
    uint8_t network[SESSION_NETWORK_SIZE];

    if (!operation_network(refresh->request, session->id, network) ||
        secret_equal(network, unknown, sizeof unknown) ||
        secret_equal(session->network, unknown, sizeof unknown)) {
        return EVENT_NETWORK_UNKNOWN;
    }
    return secret_equal(network, session->network, sizeof network) ? EVENT_NETWORK_SAME
                                                                   : EVENT_NETWORK_OTHER;
}

static int64_t renewed_expiry_ms(const struct refresh *refresh)
{
    const struct session *session = &refresh->grant->session;

    return decision_next_expiry_ms(&refresh->policy, session->created_ms,
                                   decision_last_use_ms(session, refresh->now.wall_ms));
}

/* The access token of `generation`, issued at issued_ms. */
static bool sign(struct refresh *refresh, uint32_t generation, int64_t issued_ms, struct text scope)
{
    const struct session_view *view = refresh->grant;
    struct access_token token = {.policy = &refresh->policy,
                                 .session = &view->session,
                                 .account = view->has_account ? &view->account : NULL,
                                 .keyring_version = refresh->grant->keyring_version,
                                 .generation = generation,
                                 .issued_at_s = issued_ms / CLOCK_SECOND,
                                 .scope = scope,
                                 .refreshed = true};

    return issue_access_token(refresh->request, &token);
}

/* The alias of `generation` spelled as UUID. */
static bool derive_alias(const struct refresh *refresh, uint32_t generation, uint8_t secret,
                         uint8_t alias[SESSION_HASH_SIZE])
{
    if (!refresh_token_uuid_alias(refresh->request->issuer->secrets, secret,
                                  refresh->grant->session.id, generation, alias)) {
        fault_set(refresh->fault, "cannot derive an alias");
        return false;
    }
    return true;
}
