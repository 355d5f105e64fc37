/* SPDX-License-Identifier: ISC */
/* oauth_target.c: see oauth_target.h. */
#include "dialect/oauth_target.h"

#include "base/buffer.h"
#include "operation/target.h"

/* Where one request asks for more, a token for each is what it needs. A session keeps what it was
 * begun for, in SESSION_TARGETS_MAX bytes. */
enum { TARGETS_MAX = 8 };

struct targets {
    struct request *request;
    struct buffer list;
    size_t count;
};

static bool take(struct targets *targets, const struct form *form, const char *name,
                 enum outcome *refusal);

/* An audience that is no word is the only one of its realm: it is what its tokens are for anyway.
 */
bool oauth_target_take(struct request *request, const struct form *form, enum outcome *refusal)
{
    struct targets targets = {.request = request};

    buffer_start(&targets.list, request->arena, 128);
    if (!take(&targets, form, "resource", refusal) || !take(&targets, form, "audience", refusal)) {
        return false;
    }
    *refusal = OUTCOME_FAULT;
    return buffer_finish(&targets.list, &request->targets);
}

static bool take(struct targets *targets, const struct form *form, const char *name,
                 enum outcome *refusal)
{
    struct text target;
    size_t at = 0;
    enum form_find found;

    while ((found = form_next(form, name, &at, &target)) == FORM_ONE) {
        bool is_word = text_is_visible_ascii(target);

        *refusal = OUTCOME_TARGET_INVALID;
        if (!target_is_of(targets->request->realm, target) || ++targets->count > TARGETS_MAX) {
            return false;
        } else if (is_word && !text_has_word(buffer_text(&targets->list), target)) {
            buffer_add_c(&targets->list, buffer_text(&targets->list).size > 0 ? " " : "");
            buffer_add(&targets->list, target);
        }
        if (buffer_text(&targets->list).size > SESSION_TARGETS_MAX) {
            return false;
        }
    }
    *refusal = OUTCOME_MALFORMED;
    return found == FORM_ABSENT;
}
