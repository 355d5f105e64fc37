/* SPDX-License-Identifier: ISC */
/* event_verify.c: `retoken events verify`: are the events of security and administration all
 * there, as they were written? Knows how a break is said; does not know how it is found. */
#include <inttypes.h>
#include <stdio.h>

#include "admin/verbs/verbs.h"
#include "base/codec.h"

static void describe(const struct store_event_chain *chain, char text[160]);
static void print_json(struct call *call, const struct store_event_chain *chain,
                       const char *security, const char *administration, const char *text);

enum call_end verbs_event_verify(struct call *call)
{
    char security[2 * EVENT_LINK_SIZE + 1], administration[sizeof security];
    struct store_event_chain chain;
    struct fault fault = {0};
    char text[160] = "";

    if (store_event_verify(call->service.store, &chain, &fault) != STORE_OK) {
        return call_fault(call, &fault);
    }
    codec_hex_encode(chain.last[0], EVENT_LINK_SIZE, security);
    codec_hex_encode(chain.last[1], EVENT_LINK_SIZE, administration);
    if (chain.broken) {
        describe(&chain, text);
    }
    if (call->output.json) {
        print_json(call, &chain, security, administration, text);
    } else if (chain.broken) {
        output_say(&call->output, "%s", text);
    } else {
        output_say(&call->output,
                   "%" PRIu64 " events of security and administration, all as they were written\n"
                   "last of security:       %s\nlast of administration: %s",
                   chain.lines, security, administration);
    }
    return chain.broken ? CALL_FAULT : CALL_DONE;
}

static void describe(const struct store_event_chain *chain, char text[160])
{
    const char *of = event_class_word(chain->of);
    char at[OUTPUT_TIME_SIZE];

    output_time(chain->at_ms, at);
    if (chain->how == STORE_CHAIN_CHANGED) {
        snprintf(text, 160, "event %" PRIu64 " (%s) was changed by hand", chain->number, of);
    } else if (chain->number == 0) {
        snprintf(text, 160, "events of %s were removed or changed before the first that is there",
                 of);
    } else {
        snprintf(text, 160, "events of %s were removed or changed after event %" PRIu64 " of %s",
                 of, chain->number, at);
    }
}

static void print_json(struct call *call, const struct store_event_chain *chain,
                       const char *security, const char *administration, const char *text)
{
    struct json_out *out = &call->output.out;

    json_out_open(out);
    json_out_member_int(out, "events", (int64_t)chain->lines);
    json_out_member(out, "last_security", text_of(security));
    json_out_member(out, "last_administration", text_of(administration));
    if (chain->broken) {
        json_out_member(out, "class", text_of(event_class_word(chain->of)));
        json_out_member_int(out, "number", (int64_t)chain->number);
        json_out_member(out, "finding", text_of(text));
    }
    json_out_close(out);
    output_json_end(&call->output);
}
