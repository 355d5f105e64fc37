/* SPDX-License-Identifier: ISC */
/* adopt.c: `retoken explain` of a refresh JWT of another server that no session belongs to:
 * which mounts would adopt it, asked of the same code that adopts. Writes nothing. */
#include "admin/explain/explain.h"

#include "dialect/dialect.h"
#include "operation/adopt.h"

struct finding {
    struct call *call;
    const struct explained *it;
    bool begun; /* something is said of it */
    enum outcome outcome;
};

static bool ask_mount(struct finding *finding, const struct mount *mount, struct fault *fault);
static bool is_of_realm(enum client_refusal refusal);
static void say(struct finding *finding, const struct mount *mount, enum outcome outcome,
                const char *why, const char *account);

bool explain_adoptable(struct call *call, const struct explained *it, enum call_end *end)
{
    struct finding finding = {.call = call, .it = it};
    const struct config *config = &call->service.config;
    struct json_out *out = &call->output.out;
    struct fault fault = {0};

    for (size_t i = 0; i < config->mount_count; i++) {
        if (config->mounts[i].endpoint->operation == &operation_refresh &&
            !ask_mount(&finding, &config->mounts[i], &fault)) {
            *end = call_fault(call, &fault);
            return true;
        }
    }
    if (finding.begun && call->output.json) {
        json_out_array_close(out);
        json_out_key(out, "accepted");
        json_out_bool(out, outcome_is_grant(finding.outcome));
        json_out_member(out, "outcome", text_of(outcome_word(finding.outcome)));
        json_out_close(out);
        output_json_end(&call->output);
    }
    *end = outcome_is_grant(finding.outcome) ? CALL_DONE : CALL_REFUSED;
    return finding.begun;
}

/* False with the fault. */
static bool ask_mount(struct finding *finding, const struct mount *mount, struct fault *fault)
{
    struct call *call = finding->call;
    struct request request = {.arena = call->arena,
                              .issuer = &call->service.issuer,
                              .mount = mount,
                              .realm = mount->realm,
                              .answer.now_ms = call->now_ms};
    struct adoption *adoption;
    enum outcome refusal;

    if (!adopt_considers(&request, finding->it->token)) {
        return true;
    }
    adoption = adopt_begin(&request, finding->it->token, &refusal);
    if (adoption != NULL) {
        say(finding, mount, mount->realm->policy.rotate ? OUTCOME_ROTATED : OUTCOME_RENEWED, NULL,
            adopt_account(adoption));
    } else if (refusal == OUTCOME_FAULT) {
        *fault = request.fault;
        return false;
    } else if (refusal != OUTCOME_TOKEN_INVALID) {
        say(finding, mount, refusal, outcome_meaning(refusal), NULL);
    } else if (is_of_realm(request.answer.refusal)) {
        say(finding, mount, refusal, client_refusal_meaning(request.answer.refusal), NULL);
    }
    return true;
}

/* Otherwise it is an access token, or a token for someone else. */
static bool is_of_realm(enum client_refusal refusal)
{
    return refusal == CLIENT_REFUSED_ADOPT_TIME || refusal == CLIENT_REFUSED_ADOPT_ACCOUNT;
}

static void say(struct finding *finding, const struct mount *mount, enum outcome outcome,
                const char *why, const char *account)
{
    struct call *call = finding->call;
    struct text says = TEXT("(out of memory)");
    struct buffer b;

    if (!finding->begun) {
        explain_begin(call, finding->it, "refresh token of another server");
    }
    if (!finding->begun && call->output.json) {
        json_out_key(&call->output.out, "mounts");
        json_out_array_open(&call->output.out);
    }
    if (!finding->begun || account != NULL) {
        finding->outcome = outcome;
    }
    finding->begun = true;
    buffer_start(&b, call->arena, EXPLAIN_SENTENCE_MAX);
    buffer_add_c(&b, "a refresh token of another server, which has not come yet; ");
    if (account != NULL) {
        buffer_addf(&b, "it would be adopted: presenting it begins a session of %s", account);
    } else {
        buffer_addf(&b, "it would not be adopted: %s", why);
    }
    buffer_finish(&b, &says);
    explain_mount(call, mount, outcome, 0, says);
}
