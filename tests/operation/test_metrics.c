/* SPDX-License-Identifier: ISC */
/* test_metrics.c: how each kind of number is told, in both formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "operation/world.h"

static const struct metrics_mount mounts[] = {{"/a\"b\\c", "oauth"}, {"/idle", "wellknown"}};
enum { MOUNTS = sizeof mounts / sizeof mounts[0] };
static struct metrics_answers *answers[MOUNTS + 1];

static void count_for(struct world *world)
{
    char path[SCRATCH_PATH_MAX + 16];
    struct fault fault;

    snprintf(path, sizeof path, "%s/metrics", world->scratch);
    world->issuer.metrics = metrics_open(path, 1, mounts, MOUNTS, answers, &fault);
    assert_non_null(world->issuer.metrics);
    assert_string_equal(fault.text, "");
}

/* NUL-terminated, in the arena. */
static const char *told(struct world *world, bool open_metrics)
{
    const struct world_ask ask = {.mount = &world->mount};
    struct request request = world_request(&world->issuer, &ask, world->arena);

    memset(&request.input, 0, sizeof request.input);
    request.operation = &operation_metrics;
    request.input.metrics.open_metrics = open_metrics;
    assert_int_equal(operation_run(&request), OUTCOME_SERVED);
    return request.answer.metrics.data;
}

static void assert_tells(const char *text, const char *lines)
{
    const char *found = strstr(text, lines);

    if (found == NULL || (found != text && found[-1] != '\n')) {
        fail_msg("not told: %s\nin\n%s", lines, text);
    }
}

static void test_answers(void **state)
{
    struct world *world = *state;
    const char *text;

    count_for(world);
    metrics_answer(answers[0], OUTCOME_ROTATED, 1);
    metrics_answer(answers[0], OUTCOME_ROTATED, 2500);
    metrics_answer(answers[0], OUTCOME_TOKEN_REUSED, 6000000);
    metrics_answer(answers[MOUNTS], OUTCOME_NO_MOUNT, 100);
    text = told(world, false);
    assert_tells(text, "# TYPE retoken_answers_total counter\n");
    assert_tells(
        text, "retoken_answers_total{mount=\"\",dialect=\"\",outcome=\"fault\"} 0\n"
              "retoken_answers_total{mount=\"\",dialect=\"\",outcome=\"no-mount\"} 1\n"
              "retoken_answers_total{mount=\"/a\\\"b\\\\c\",dialect=\"oauth\",outcome=\"rotated\"} "
              "2\n"
              "retoken_answers_total{mount=\"/a\\\"b\\\\c\",dialect=\"oauth\",outcome=\"reused\"} "
              "1\n");
#define LE(bound, count)                                                                           \
    "retoken_answer_seconds_bucket{mount=\"/a\\\"b\\\\c\",dialect=\"oauth\",le=\"" bound           \
    "\"} " count "\n"
    assert_tells(text, LE("0.0001", "1") LE("0.00025", "1") LE("0.0005", "1") LE("0.001", "1")
                           LE("0.0025", "2") LE("0.005", "2"));
    assert_tells(
        text,
        LE("5.0", "2") LE(
            "+Inf",
            "3") "retoken_answer_seconds_sum{mount=\"/a\\\"b\\\\c\",dialect=\"oauth\"} 6.002501\n"
                 "retoken_answer_seconds_count{mount=\"/a\\\"b\\\\c\",dialect=\"oauth\"} 3\n");
}

static void test_counters_and_histograms(void **state)
{
    struct world *world = *state;
    const char *text;

    count_for(world);
    metrics_add(world->issuer.metrics, METRIC_COMMITS, UINT64_C(1) << 40);
    metrics_observe(world->issuer.metrics, METRIC_HISTOGRAM_BATCH, 8);
    text = told(world, false);
    assert_tells(text, "# HELP retoken_store_commits_total Commits that were made durable.\n"
                       "# TYPE retoken_store_commits_total counter\n"
                       "retoken_store_commits_total 1099511627776\n");
    assert_tells(text, "retoken_store_batch_writes_bucket{le=\"4.0\"} 0\n"
                       "retoken_store_batch_writes_bucket{le=\"8.0\"} 1\n");
    assert_tells(text, "retoken_store_batch_writes_sum 8.0\n"
                       "retoken_store_batch_writes_count 1\n");
    assert_null(strstr(text, "# UNIT"));
    assert_null(strstr(text, "# EOF"));
}

static void test_what_the_store_says(void **state)
{
    struct world *world = *state;
    const char *text;

    count_for(world);
    world_session(world, "", "");
    world->now_ms += INT64_C(90) * CLOCK_SECOND;
    text = told(world, false);
    assert_tells(text, "retoken_sessions 1\n");
    assert_tells(text, "retoken_accounts 1\n");
    assert_tells(text, "retoken_store_ready 1\n");
    /* the keys of this world are of 1970 */
    assert_non_null(strstr(text, ",algorithm=\"HS256\",state=\"active\"} 1800000090\n"));
}

static void test_outbox(void **state)
{
    static const struct webhook webhooks[] = {{.name = "one"}, {.name = "two"}};
    struct world *world = *state;
    const char *text;

    count_for(world);
    world->issuer.webhooks = webhooks;
    world->issuer.webhook_count = sizeof webhooks / sizeof webhooks[0];
    text = told(world, false);
    assert_tells(text, "# TYPE retoken_outbox_events gauge\n"
                       "retoken_outbox_events{webhook=\"one\",state=\"waiting\"} 0\n"
                       "retoken_outbox_events{webhook=\"one\",state=\"leased\"} 0\n"
                       "retoken_outbox_events{webhook=\"one\",state=\"delayed\"} 0\n"
                       "retoken_outbox_events{webhook=\"one\",state=\"dead\"} 0\n"
                       "retoken_outbox_events{webhook=\"two\",state=\"waiting\"} 0\n");
    assert_tells(text, "retoken_outbox_oldest_seconds{webhook=\"two\"} 0\n");
    assert_tells(text, "# TYPE retoken_outbox_dropped_total counter\n"
                       "retoken_outbox_dropped_total{webhook=\"one\"} 0\n"
                       "retoken_outbox_dropped_total{webhook=\"two\"} 0\n");
    assert_tells(text, "retoken_store_ready 1\n");
}

static void test_open_metrics(void **state)
{
    struct world *world = *state;
    const char *text;

    count_for(world);
    text = told(world, true);
    assert_tells(text, "# TYPE retoken_store_commits counter\nretoken_store_commits_total 0\n");
    assert_tells(text, "# TYPE retoken_answer_seconds histogram\n"
                       "# UNIT retoken_answer_seconds seconds\n");
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
}

static void test_nothing_is_counted(void **state)
{
    struct world *world = *state;
    const struct world_ask ask = {.mount = &world->mount};
    struct request request = world_request(&world->issuer, &ask, world->arena);

    request.operation = &operation_metrics;
    assert_int_equal(operation_run(&request), OUTCOME_FAULT);
    assert_string_not_equal(request.fault.text, "");
}

static int tear_down(void **state)
{
    struct world *world = *state;

    metrics_close(world->issuer.metrics);
    return world_tear_down(state);
}
#undef CASE
#define CASE(test) cmocka_unit_test_setup_teardown(test, world_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_answers),
        CASE(test_counters_and_histograms),
        CASE(test_what_the_store_says),
        CASE(test_outbox),
        CASE(test_open_metrics),
        CASE(test_nothing_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
