/* SPDX-License-Identifier: ISC */
/* dialect_learn.c: `retoken dialect learn`: where the recordings come from, and whether the
 * proposal reads and answers as they do. What it proposes is learn/learn.h. */
#include "admin/verbs/verbs.h"

#include "admin/dialect/input.h"
#include "admin/dialect/replay.h"
#include "admin/learn/har.h"
#include "process/dialect_file.h"

static enum call_end read_files(struct call *call, struct learn_input *input);
static enum call_end read_har(struct call *call, const char *path, struct learn_input *input);
static enum call_end look_again(struct call *call, const struct learn_input *input,
                                struct text proposal);
static void say_unsaid(const struct call *call, const struct learn_input *input);

enum call_end verbs_dialect_learn(struct call *call)
{
    const char *har = options_value(&call->options, OPTION_HAR);
    struct learn_input input = {0};
    struct fault fault = {"out of memory"};
    struct buffer out;
    struct text proposal = {0};
    enum call_end end = har != NULL ? read_har(call, har, &input) : read_files(call, &input);

    if (end != CALL_DONE) {
        return end;
    }
    buffer_start(&out, call->arena, 4096);
    if (!learn_dialect(&input, call->arena, &out, &fault)) {
        return call_refuse(call, "%s", fault.text);
    } else if (!buffer_finish(&out, &proposal)) {
        return call_fault(call, &fault);
    }
    buffer_add(&call->output.buffer, proposal);
    say_unsaid(call, &input);
    return look_again(call, &input, proposal);
}

static enum call_end read_files(struct call *call, struct learn_input *input)
{
    const char *request = options_value(&call->options, OPTION_REQUEST);
    const char *answer = options_value(&call->options, OPTION_ANSWER);
    const char *refusal = options_value(&call->options, OPTION_REFUSAL);
    struct learn_exchange *exchange = arena_alloc(call->arena, sizeof *exchange);
    struct learn_exchange *refused = arena_alloc(call->arena, sizeof *refused);
    struct fault fault = {"out of memory"};

    if (request == NULL || answer == NULL) {
        return call_wrong(call, "--request and --answer are missing, or --har");
    } else if (exchange == NULL || refused == NULL) {
        return call_fault(call, &fault);
    }
    enum call_end end = dialect_input_request(call, request, &exchange->request);

    end = end == CALL_DONE ? dialect_input_answer(call, answer, &exchange->answer) : end;
    if (end == CALL_DONE && refusal != NULL) {
        end = dialect_input_answer(call, refusal, &refused->answer);
    }
    if (end == CALL_DONE && (exchange->answer.status < 200 || exchange->answer.status > 299)) {
        return call_refuse(call, "%s: status %d, where a refresh that was granted should be",
                           answer, exchange->answer.status);
    } else if (end == CALL_DONE && refusal != NULL && refused->answer.status < 400) {
        return call_refuse(call, "%s: status %d, where a refusal should be", refusal,
                           refused->answer.status);
    }
    input->granted[LEARN_REFRESH] = exchange;
    if (end == CALL_DONE && refusal != NULL) {
        refused->request = exchange->request;
        input->refusals[input->refusal_count++] =
            (struct learn_refusal){LEARN_REFRESH, "token", refused};
    }
    buffer_start(&input->unsaid, call->arena, 256);
    return end;
}

static enum call_end read_har(struct call *call, const char *path, struct learn_input *input)
{
    struct text bytes;
    struct fault fault;

    if (options_has(&call->options, OPTION_REQUEST) || options_has(&call->options, OPTION_ANSWER) ||
        options_has(&call->options, OPTION_REFUSAL)) {
        return call_wrong(call, "--har goes without --request, --answer and --refusal");
    }
    enum call_end end = dialect_input_read(call, path, LEARN_HAR_MAX, &bytes);

    if (end == CALL_DONE && !learn_har_read(call->arena, bytes, input, &fault)) {
        return call_refuse(call, "%s: %s", path, fault.text);
    }
    return end;
}

/* Those at a path that was left out are not looked at again. */
static bool replay(const struct dialect *dialect, const struct learn_exchange *exchange,
                   struct arena *arena, struct buffer *told, struct fault *fault)
{
    struct dialect_differences differences = {.count = 0};

    if (exchange == NULL || !dialect_play_has(dialect, exchange->request.path, arena)) {
        return true;
    } else if (!dialect_replay(dialect, &exchange->request, &exchange->answer, arena, &differences,
                               fault)) {
        return false;
    } else if (differences.count > 0) {
        learn_unsaid(told, exchange, "answered otherwise");
        dialect_replay_tell(&differences, told);
    }
    return true;
}

/* Is it a dialect, and does it answer as was recorded? What it does not is said, so that nobody
 * takes the file for more than it is. */
static enum call_end look_again(struct call *call, const struct learn_input *input,
                                struct text proposal)
{
    struct fault fault;
    const struct dialect *dialect =
        dialect_file_read(TEXT("learnt"), "proposal", proposal, call->arena, &fault);
    struct buffer told;
    struct text said = {0};
    bool whole = true;

    if (dialect == NULL) {
        return call_refuse(call, "this is not yet a dialect: %s", fault.text);
    }
    buffer_start(&told, call->arena, 1024);
    for (size_t i = 0; i < LEARN_WHATS && whole; i++) {
        whole = replay(dialect, input->granted[i], call->arena, &told, &fault);
    }
    whole = whole && replay(dialect, input->earlier, call->arena, &told, &fault);
    for (size_t i = 0; i < input->refusal_count && whole; i++) {
        whole = replay(dialect, input->refusals[i].exchange, call->arena, &told, &fault);
    }
    if (!whole) {
        return call_refuse(call, "%s", fault.text);
    }
    if (buffer_finish(&told, &said) && said.size > 0) {
        return call_refuse(call, "the file does not answer as was recorded yet:\n%.*s",
                           TEXT_ARGS(text_cut(said, said.size - 1)));
    }
    return CALL_DONE;
}

static void say_unsaid(const struct call *call, const struct learn_input *input)
{
    struct text rest = buffer_text(&input->unsaid);

    while (rest.size > 0) {
        struct text line = text_split(&rest, '\n');

        call_warn(call, "%.*s", TEXT_ARGS(line));
    }
}
