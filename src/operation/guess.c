/* SPDX-License-Identifier: ISC */
/* guess.c: see guess.h. */
#include "operation/guess.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "operation/decoy.h"
#include "operation/password_gate.h"
#include "operation/refusal.h"
#include "operation/request_event.h"

enum { WAIT_FIRST_MS = CLOCK_SECOND, WAIT_MOST_MS = 15 * CLOCK_MINUTE };
/* How long a network is known, from its last right guess that was noted: one in a day is. */
static const int64_t known_ms = INT64_C(90) * CLOCK_DAY;

/* Which of a guess's counts. */
enum { IN_A_ROW, OF_ALL, OF_NETWORK };

static const struct {
    const char *word;
    const char *many; /* for the event */
} kinds[] = {
    [GUESS_LOGIN] = {"login", "passwords"},       [GUESS_RENEWAL] = {"renewal", "passwords"},
    [GUESS_CLIENT] = {"client", "secrets"},       [GUESS_PASSWORD] = {"password", "passwords"},
    [GUESS_SECRET] = {"secret alone", "secrets"}, [GUESS_CODE] = {"code", "codes"},
};

static bool hash(const struct secrets *secrets, enum guess_kind kind, const char *what,
                 struct text whom, struct text beside, struct mark *mark);
static bool find(struct request *request, struct mark *mark, int64_t now_ms);
static bool find_counts(struct request *request, struct text whom, uint64_t account,
                        int64_t now_ms);
static bool name_counts(struct request *request, struct text whom, const struct mark *pardon);
static void stamp(struct guess *guess, int64_t now_ms);
static size_t list_writings(const struct guess *guess, struct guess_writing *writings);
static void attach_event(const struct request *request, struct store_write *write);

bool guess_is_of_strangers(enum guess_kind kind)
{
    return kind >= GUESS_PASSWORD;
}

bool guess_mark(const struct secrets *secrets, enum guess_kind kind, struct text whom,
                uint64_t account, struct mark *mark)
{
    char number[24];

    snprintf(number, sizeof number, "%llu", (unsigned long long)account);
    return hash(secrets, kind, "", whom, text_of(number), mark);
}

bool guess_pardon(const struct secrets *secrets, enum guess_kind kind, struct text whom,
                  int64_t now_ms, struct mark *mark)
{
    bool made = hash(secrets, kind, " pardoned", whom, (struct text){0}, mark);

    mark->at_ms = now_ms;
    mark->until_ms = now_ms + CLOCK_DAY; /* what it forgets is forgotten by then */
    return made;
}

static bool hash(const struct secrets *secrets, enum guess_kind kind, const char *what,
                 struct text whom, struct text beside, struct mark *mark)
{
    char word[40];

    snprintf(word, sizeof word, "guess %s%s", kinds[kind].word, what);
    *mark = (struct mark){.kind = MARK_FAILURE};
    return secrets_mark_hash(secrets, word, whom, beside, mark->hash);
}

/* A clock that went back lets a try pass. */
int64_t guess_wait_ms(const struct mark *mark, uint32_t most, int64_t now_ms)
{
    int64_t wait_ms = WAIT_FIRST_MS;
    int64_t end_ms;

    if (mark->count < most || now_ms < mark->at_ms) {
        return 0;
    }
    for (uint32_t i = most; i < mark->count && wait_ms < WAIT_MOST_MS; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < WAIT_MOST_MS ? wait_ms : WAIT_MOST_MS;
    end_ms = mark->until_ms - mark->at_ms < wait_ms ? mark->until_ms : mark->at_ms + wait_ms;
    return now_ms < end_ms ? end_ms - now_ms : 0;
}

bool guess_begin(struct request *request, enum guess_kind kind, struct text whom, uint64_t account,
                 int64_t now_ms, enum outcome *refusal)
{
    struct guess *guess = &request->guess;
    int64_t longest_ms = 0;

    *refusal = OUTCOME_FAULT;
    if (guess->made == GUESS_RIGHT) {
        guess->writings_before = list_writings(guess, guess->before);
    }
    guess->made = GUESS_NONE;
    guess->kind = kind;
    if (!find_counts(request, whom, account, now_ms)) {
        return false;
    }
    for (size_t i = 0; i < guess->count; i++) {
        const struct guess_count *count = &guess->counts[i];
        int64_t wait_ms = guess_wait_ms(&count->mark, count->most, now_ms);

        if (wait_ms > longest_ms && (i == IN_A_ROW || guess->known.count == 0)) {
            longest_ms = wait_ms;
        }
    }
    stamp(guess, now_ms);
    if (longest_ms > 0) {
        request->answer.retry_after_s = (longest_ms + CLOCK_SECOND - 1) / CLOCK_SECOND;
        *refusal = OUTCOME_SLOWED;
        return false;
    }
    return true;
}

/* guess->counts and guess->known, as they are in the store. */
static bool find_counts(struct request *request, struct text whom, uint64_t account, int64_t now_ms)
{
    const struct secrets *secrets = request->issuer->secrets;
    struct guess *guess = &request->guess;
    struct mark pardon = {.at_ms = 0};
    bool named;

    guess->counts[IN_A_ROW].most = GUESS_FREE;
    guess->counts[OF_ALL].most = guess->counts[OF_NETWORK].most = GUESS_FREE_OF_ALL;
    guess->known = (struct mark){.kind = MARK_KNOWN};
    guess->notes_known = false;
    if (!guess_is_of_strangers(guess->kind)) {
        guess->count = 1;
        named = guess_mark(secrets, guess->kind, whom, account, &guess->counts[IN_A_ROW].mark);
    } else {
        guess->count = request->network.known ? 3 : 2;
        named = guess_pardon(secrets, guess->kind, whom, 0, &pardon);
        if (named && !find(request, &pardon, now_ms)) {
            return false;
        }
        named = named && name_counts(request, whom, &pardon);
    }
    if (!named) {
        fault_set(&request->fault, "HMAC failed");
        return false;
    }
    for (size_t i = 0; i < guess->count; i++) {
        if (!find(request, &guess->counts[i].mark, now_ms)) {
            return false;
        }
    }
    return !guess_is_of_strangers(guess->kind) || find(request, &guess->known, now_ms);
}

/* The three of a stranger's guess. `retoken` cannot know from which networks some were made in a
 * row; so what follows its pardon has other marks. */
static bool name_counts(struct request *request, struct text whom, const struct mark *pardon)
{
    const struct secrets *secrets = request->issuer->secrets;
    struct guess *guess = &request->guess;
    const uint8_t *prefix = request->network.prefix;
    struct text network = {(const char *)prefix, HTTP_NETWORK_SIZE};
    char since[HTTP_NETWORK_SIZE + sizeof pardon->at_ms];
    struct mark all_known;

    memcpy(since, prefix, HTTP_NETWORK_SIZE);
    memcpy(since + HTTP_NETWORK_SIZE, &pardon->at_ms, sizeof pardon->at_ms);
    if (!hash(secrets, guess->kind, " in a row", whom, (struct text){since, sizeof since},
              &guess->counts[IN_A_ROW].mark) ||
        !guess_mark(secrets, guess->kind, whom, 0, &guess->counts[OF_ALL].mark) ||
        !hash(secrets, GUESS_PASSWORD, " or other", (struct text){0}, network,
              &guess->counts[OF_NETWORK].mark) ||
        !hash(secrets, GUESS_PASSWORD, " or other known", (struct text){0}, (struct text){0},
              &all_known) ||
        !hash(secrets, guess->kind, " known", whom, network, &guess->known)) {
        return false;
    }
    guess->known.kind = MARK_KNOWN;
    memcpy(guess->known.owner, all_known.hash, sizeof guess->known.owner);
    return true;
}

/* *mark as the store has it; one that it does not have stays as it is. */
static bool find(struct request *request, struct mark *mark, int64_t now_ms)
{
    struct mark stored;

    switch (store_mark_find(request->issuer->store, mark->kind, mark->hash, now_ms, &stored,
                            &request->fault)) {
    case STORE_OK:
        *mark = stored;
        return true;
    case STORE_ABSENT:
        return true;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return false;
}

/* The times that one more gives them. Those of all and of a network are forgotten some time after
 * their first, or so many people would never be rid of their mistakes. */
static void stamp(struct guess *guess, int64_t now_ms)
{
    static const int64_t last_ms[] = {
        [IN_A_ROW] = CLOCK_DAY, [OF_ALL] = CLOCK_DAY, [OF_NETWORK] = CLOCK_HOUR};

    for (size_t i = 0; i < guess->count; i++) {
        struct mark *mark = &guess->counts[i].mark;

        if (i == IN_A_ROW || mark->count == 0 || mark->until_ms > now_ms + last_ms[i]) {
            mark->until_ms = now_ms + last_ms[i];
        }
        mark->at_ms = now_ms;
    }
    if (guess->known.count == 0 || now_ms - guess->known.at_ms > CLOCK_DAY) {
        guess->known.at_ms = now_ms;
        guess->known.until_ms = now_ms + known_ms;
        guess->notes_known = guess_is_of_strangers(guess->kind);
    }
}

bool guess_password(struct request *request, struct text name, struct text password,
                    const char *hash, enum outcome *refusal)
{
    char owner[ACCOUNT_NAME_MAX + sizeof "account "];
    char decoy[PASSWORD_HASH_MAX + 1];

    *refusal = OUTCOME_FAULT;
    /* asked for every name, so that it takes no time of its own */
    if (!decoy_hash(request->issuer, name, decoy, &request->fault)) {
        return false;
    }
    if (guess_is_of_strangers(request->guess.kind)) {
        store_flush(request->issuer->store); /* or writes of this thread's others wait for a hash */
    }
    snprintf(owner, sizeof owner, "account %.*s", TEXT_ARGS(name));
    switch (password_gate_verify(request->issuer->gate, text_of(owner), password,
                                 hash[0] != '\0' ? hash : decoy)) {
    case PASSWORD_RIGHT:
        request->guess.made = GUESS_RIGHT;
        return true;
    case PASSWORD_WRONG:
        request->guess.made = GUESS_WRONG;
        *refusal = OUTCOME_CREDENTIALS_WRONG;
        return false;
    case PASSWORD_BUSY:
        *refusal = OUTCOME_BUSY;
        return false;
    case PASSWORD_FAULT:
        break;
    }
    fault_set(&request->fault, "a password could not be checked: out of memory?");
    return false;
}

struct store_write *guess_settle(struct request *request, enum outcome outcome)
{
    struct guess *guess = &request->guess;
    struct guess_writing writings[3];
    size_t count = list_writings(guess, writings);
    struct store_write *write;
    struct event refused;
    bool tells = refusal_event(request, outcome, &refused);

    if (count + guess->writings_before == 0 &&
        !(tells && refusal_is_due(request->issuer, &refused))) {
        return NULL;
    }
    guess->settled = true;
    guess->outcome = outcome;
    write = arena_alloc(request->arena, sizeof *write);
    if (write == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        guess->outcome = OUTCOME_FAULT;
        return NULL;
    }
    store_prepare_attached(write, tells ? refused.at_ms : guess->counts[IN_A_ROW].mark.at_ms);
    if (tells) {
        store_attach_event(write, &refused);
    }
    for (size_t i = 0; i < guess->writings_before; i++) {
        store_attach_mark(write, guess->before[i].use, &guess->before[i].mark);
    }
    for (size_t i = 0; i < count; i++) {
        store_attach_mark(write, writings[i].use, &writings[i].mark);
    }
    if (guess->made == GUESS_WRONG && (guess->account != 0 || guess->client.size > 0)) {
        attach_event(request, write);
    }
    return write;
}

/* What is to be written of it: a wrong one counts; a right one ends those in a row, and makes its
 * network known. At most three, two of a right one. */
static size_t list_writings(const struct guess *guess, struct guess_writing *writings)
{
    size_t count = 0;

    switch (guess->made) {
    case GUESS_NONE:
        break;
    case GUESS_WRONG:
        for (; count < guess->count; count++) {
            writings[count] = (struct guess_writing){STORE_MARK_COUNT, guess->counts[count].mark};
        }
        break;
    case GUESS_RIGHT:
        if (guess->counts[IN_A_ROW].mark.count > 0) {
            writings[count++] =
                (struct guess_writing){STORE_MARK_CLEAR, guess->counts[IN_A_ROW].mark};
        }
        if (guess->notes_known) {
            writings[count++] = (struct guess_writing){STORE_MARK_COUNT, guess->known};
        }
        break;
    }
    return count;
}

void guess_settled(struct request *request, enum store_result result)
{
    const struct guess *guess = &request->guess;

    if (result == STORE_OK && guess->made == GUESS_WRONG &&
        guess->counts[IN_A_ROW].mark.count + 1 == GUESS_FREE) {
        metrics_add(request->issuer->metrics, METRIC_LOCKS, 1);
    }
    if (result != STORE_OK && request->guess.made == GUESS_WRONG) {
        request->guess.outcome = OUTCOME_FAULT;
    }
}

/* Where this one is the last that is free. */
static void attach_event(const struct request *request, struct store_write *write)
{
    const struct guess *guess = &request->guess;
    bool in_a_row = guess->counts[IN_A_ROW].mark.count + 1 == GUESS_FREE;
    struct event event;

    if (!in_a_row && (!guess_is_of_strangers(guess->kind) ||
                      guess->counts[OF_ALL].mark.count + 1 != GUESS_FREE_OF_ALL)) {
        return;
    }
    request_event(&event, in_a_row ? EVENT_GUESSED : EVENT_LOCKED, request,
                  guess->counts[IN_A_ROW].mark.at_ms);
    event.account = guess->account;
    memcpy(event.session, guess->session, sizeof event.session);
    (void)text_copy(guess->client, event.client, sizeof event.client);
    snprintf(event.note, sizeof event.note, "%d wrong %s in a %s",
             in_a_row ? (int)GUESS_FREE : (int)GUESS_FREE_OF_ALL, kinds[guess->kind].many,
             in_a_row ? "row" : "day");
    store_attach_event(write, &event);
}
