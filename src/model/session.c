/* SPDX-License-Identifier: ISC */
/* session.c: why a session ended, in the operator's words. Knows neither store nor tokens. */
#include "model/session.h"

const char *session_end_meaning(enum session_end end)
{
    switch (end) {
    case SESSION_LIVE:
        return "live";
    case SESSION_ENDED_REUSE:
        return "reused: a spent refresh token came back";
    case SESSION_ENDED_ADMIN:
        return "revoked by an administrator";
    case SESSION_ENDED_ACCOUNT:
        return "its account was disabled, removed or given another password";
    case SESSION_ENDED_CLIENT:
        return "its client was removed";
    }
    return "ended for a reason of a later version"; /* read from a store, so any number may come */
}
