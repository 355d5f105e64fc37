/* judge.c: what the operation would say; see judge.h. */
#include "refresh/judge.h"

#include <string.h>

#include "refresh/place.h"
#include "refresh/table.h"

/* The session that the token names. OUTCOME_ROTATED: there is one. */
static enum outcome find_session(struct authority *authority, struct text refresh_token,
                                 struct arena *arena, struct verdict *verdict, struct fault *fault)
{
    struct place place;

    switch (place_locate(authority, refresh_token, arena, &place, fault)) {
    case PLACE_FOUND:
        break;
    case PLACE_INVALID:
        return OUTCOME_TOKEN_INVALID;
    case PLACE_UNKNOWN:
        return OUTCOME_TOKEN_UNKNOWN;
    case PLACE_FAULT:
        return OUTCOME_FAULT;
    }
    switch (store_grant_find(authority->store, place.session, &verdict->grant, fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return OUTCOME_TOKEN_UNKNOWN;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    verdict->session_found = true;
    verdict->generation = place.generation;
    return OUTCOME_ROTATED;
}

enum outcome judge_token(struct authority *authority, const struct mount *mount,
                         struct text refresh_token, struct arena *arena, struct verdict *verdict,
                         struct fault *fault)
{
    const struct policy *policy = &mount->policy;
    const struct session *session = &verdict->grant.session;
    int64_t window;

    memset(verdict, 0, sizeof *verdict);
    verdict->now_ms = clock_now_ms(&authority->clock);
    verdict->outcome = find_session(authority, refresh_token, arena, verdict, fault);
    if (!verdict->session_found) {
        return verdict->outcome;
    }
    verdict->expires_ms = table_expires_ms(policy, session);
    verdict->outcome =
        text_equal(text_of(session->realm), text_of(mount->realm))
            ? table_decide(policy, &verdict->grant, verdict->generation, true, verdict->now_ms)
            : OUTCOME_WRONG_REALM;
    if (verdict->outcome == OUTCOME_REPLAYED || verdict->outcome == OUTCOME_RECOVERED) {
        window = verdict->outcome == OUTCOME_REPLAYED ? policy->concurrency_window_ms
                                                      : policy->recovery_window_ms;
        verdict->window_left_ms = session->written_ms + window - verdict->now_ms;
    }
    return verdict->outcome;
}
