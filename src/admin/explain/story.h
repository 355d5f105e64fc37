/* SPDX-License-Identifier: ISC */
/* story.h: what happened to a session, in sentences, from its record and its events. */
#ifndef RETOKEN_ADMIN_EXPLAIN_STORY_H
#define RETOKEN_ADMIN_EXPLAIN_STORY_H

#include "admin/call.h"

/* How it began, how often it was renewed, what came back, how it ended: a member "story" of the
 * open JSON object, an array of sentences, or a sentence a line. Names no token. CALL_FAULT with
 * the reason said. */
enum call_end explain_story(struct call *call, const struct session_view *view);

/* "2026-…, 3 h ago: it was not renewed for 30 d": when a session ends by itself, and by which
 * setting of its policy. */
void explain_story_expiry(struct buffer *b, const struct session *session,
                          const struct policy *policy, int64_t expires_ms, int64_t now_ms);

#endif
