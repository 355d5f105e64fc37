/* SPDX-License-Identifier: ISC */
/* target.c: see target.h. */
#include "operation/target.h"

#include "base/buffer.h"
#include "model/scope.h"
#include "token/layout.h"

static struct text next_left(const struct realm *realm, struct text *rest);
static bool can_be_said(const struct realm *realm, struct text target);

bool target_is_of(const struct realm *realm, struct text target)
{
    const char *usual = realm->audience[0] != '\0' ? realm->audience : realm->issuer;

    return text_is(target, usual) || text_has_word(text_of(realm->targets), target);
}

/* Without a choice a session that is limited gets no more than it was granted: the usual audience
 * may be none of that. */
bool target_choose(struct request *request, const struct session *session, enum outcome *refusal)
{
    struct text granted = text_of(session->targets);
    struct buffer left;

    if (granted.size == 0) {
        return true;
    } else if (request->targets.size > 0 ? !scope_covers(granted, request->targets)
                                         : !target_is_left(request->realm, session)) {
        *refusal = OUTCOME_TARGET_INVALID;
        return false;
    } else if (request->targets.size > 0) {
        return true;
    }
    buffer_start(&left, request->arena, granted.size);
    for (struct text target; (target = next_left(request->realm, &granted)).size > 0;) {
        buffer_add_c(&left, left.size > 0 ? " " : "");
        buffer_add(&left, target);
    }
    if (buffer_finish(&left, &request->targets)) {
        return true;
    }
    fault_set(&request->fault, "the request's memory is used up");
    *refusal = OUTCOME_FAULT;
    return false;
}

bool target_is_left(const struct realm *realm, const struct session *session)
{
    struct text granted = text_of(session->targets);

    return granted.size == 0 || next_left(realm, &granted).size > 0;
}

/* Cuts the next one off *rest that the realm's tokens can still be for. */
static struct text next_left(const struct realm *realm, struct text *rest)
{
    struct text target = text_word(rest);

    while (target.size > 0 && !can_be_said(realm, target)) {
        target = text_word(rest);
    }
    return target;
}

/* A dialect that shares the realm may have tokens that name no audience, or always the same. */
static bool can_be_said(const struct realm *realm, struct text target)
{
    const struct layout *layout = realm->policy.layout;

    return layout->says_targets ? target_is_of(realm, target)
                                : layout->says_audience && text_is(target, realm->audience);
}
