/* SPDX-License-Identifier: ISC */
/* keys.c: has each mount a key that signs, is it strong, and do the dates of a roll fit? Knows what
 * mounts need (key_need.h); changes none. */
#include "admin/doctor/doctor.h"

#include <stdio.h>

#include "admin/key_need.h"
#include "admin/verbs/verbs.h"
#include "token/signing_key.h"

static void report_signer(struct examination *e, const char *check, const struct key_need *need,
                          const struct signing_row *rows, size_t count,
                          const struct signing_row *signer);
static void check_secret_key(struct examination *e, const struct signing_row *row);
static void check_dates(struct examination *e, const struct signing_row *row,
                        const struct signing_row *rows, size_t count);

void doctor_keys_examine(struct examination *e)
{
    struct call *call = e->call;
    struct key_need needs[CONFIG_MOUNTS_MAX];
    size_t need_count = key_need_list(&call->service.config, needs);
    struct signing_row *rows = arena_alloc(call->arena, KEY_NEED_ROWS_MAX * sizeof *rows);
    struct fault fault = {"out of memory"};
    size_t count = 0;

    if (rows == NULL || store_key_list(call->service.store, true, rows, KEY_NEED_ROWS_MAX, &count,
                                       &fault) != STORE_OK) {
        doctor_report(e, "keys", HEALTH_FAIL, "%s", fault.text);
        return;
    }
    for (size_t i = 0; i < need_count; i++) {
        const char *algorithm = signing_algorithm_name(needs[i].algorithm);
        const struct signing_row *signer =
            key_need_signer(rows, count, needs[i].algorithm, needs[i].realm, NULL);
        char check[32];

        snprintf(check, sizeof check, "key %s", algorithm);
        if (signer == NULL) {
            doctor_report(e, check, HEALTH_FAIL, "%s has no active key: `retoken init` makes one",
                          needs[i].path);
        } else {
            report_signer(e, check, &needs[i], rows, count, signer);
        }
    }
    for (size_t i = 0; i < count; i++) {
        check_secret_key(e, &rows[i]);
        check_dates(e, &rows[i], rows, count);
    }
}

/* Until caches of the key set have it, its tokens are refused where the key before it was known. */
static void report_signer(struct examination *e, const char *check, const struct key_need *need,
                          const struct signing_row *rows, size_t count,
                          const struct signing_row *signer)
{
    int64_t ready_ms = signer->created_ms + SIGNING_KEY_SET_MAX_AGE * (int64_t)CLOCK_SECOND;
    char at[OUTPUT_TIME_SIZE];

    if (e->call->now_ms < ready_ms && signer->algorithm != SIGNING_HS256 &&
        key_need_signer(rows, count, need->algorithm, need->realm, signer->kid) != NULL) {
        output_time(ready_ms, at);
        doctor_report(e, check, HEALTH_WARN,
                      "%s: %s signs already, and caches may keep the key set without it until %s",
                      need->path, signer->kid, at);
        return;
    }
    doctor_report(e, check, HEALTH_OK, "%s: %s", need->path, signer->kid);
}

static void check_secret_key(struct examination *e, const struct signing_row *row)
{
    struct fault fault = {0};

    if (row->algorithm != SIGNING_HS256 || row->state == SIGNING_RETIRED ||
        signing_state_is_foreign(row->state)) {
        return;
    }
    struct signing_key *key = signing_key_unseal(row, &e->call->service.secrets, &fault);
    if (key == NULL) {
        doctor_report(e, "key HS256", HEALTH_FAIL, "%s: %s", row->kid, fault.text);
    } else if (signing_key_is_weak(key, &fault)) {
        doctor_report(
            e, "key HS256", HEALTH_FAIL,
            "%s: %s: `retoken key add --algorithm HS256 --activate`, then `retoken key retire "
            "%s`",
            row->kid, fault.text, row->kid);
    }
    signing_key_close(key);
}

/* Lifetimes may have grown since its end was planned, or the next one may sign later than that. */
static void check_dates(struct examination *e, const struct signing_row *row,
                        const struct signing_row *rows, size_t count)
{
    const struct signing_row *next = NULL;
    char check[32], at[OUTPUT_TIME_SIZE], until[OUTPUT_TIME_SIZE];
    struct fault fault = {0};
    int64_t keep_ms = 0;

    for (size_t i = 0; i < count && row->state == SIGNING_ACTIVE && row->retires_ms != 0; i++) {
        if (rows[i].number > row->number && signing_is_in_place_of(&rows[i], row) &&
            !signing_state_is_retired(rows[i].state) && next == NULL) {
            next = &rows[i];
        }
    }
    snprintf(check, sizeof check, "key %s", signing_algorithm_name(row->algorithm));
    if (next == NULL) {
        return;
    } else if (!verbs_key_keep_ms(e->call, row, &keep_ms, &fault)) {
        doctor_report(e, check, HEALTH_FAIL, "%s: %s", row->kid, fault.text);
        return;
    }
    output_time(next->activates_ms, at);
    output_time(row->retires_ms, until);
    if (next->activates_ms == 0 || row->retires_ms - next->activates_ms < keep_ms) {
        doctor_report(
            e, check, HEALTH_WARN,
            "%s goes out of use at %s, and tokens that it signs may live longer: `retoken "
            "key activate %s` takes the date away; retire it later",
            row->kid, until, row->kid);
        return;
    }
    doctor_report(e, check, HEALTH_OK, "%s takes the place of %s at %s, which verifies until %s",
                  next->kid, row->kid, at, until);
}
