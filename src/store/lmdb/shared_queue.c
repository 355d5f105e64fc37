/* SPDX-License-Identifier: ISC */
/* shared_queue.c: see shared_queue.h. Who gives the turn calls the first who waits; who is called
 * leads, and takes the others along. Should it have died or been stopped, the others look for the
 * turn themselves every LOOK_US.
 *
 *            leave            take             answer
 *     free -------> waits -----------> taken ---------> answered --> free
 *                   ^   | call          |
 *          no turn  |   v               |  its taker died: taken again, unsure
 *                   called -------------+
 *
 * A write that nobody took in time goes from `waits` to `free`. The word is changed by
 * compare-and-set only, and counts, so that nobody answers what has been given up. */
#include "store/lmdb/shared_queue.h"

#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "store/lmdb/shared_queue_file.h"

enum { LOOK_US = 20 * 1000, NO_SEAT = -1 };

/* A write of another process, while it is in our transaction. */
struct guest {
    struct store_write write;
    struct fault fault;
    uint32_t seat;
    uint32_t word; /* when it was taken */
};

struct shared_queue {
    struct env *env;
    const struct crypto_mac *mac;
    struct shared_file *file;
    int seat;             /* ours, once we needed one */
    uint32_t called;      /* the last who was: the search for the next begins behind it */
    struct guest *guests; /* SHARED_SEATS of them, once there were any */
    size_t guest_count;
};

static bool has_seat(struct shared_queue *queue);
static bool sit_down(struct shared_queue *queue, const struct store_write *write);
static enum shared_queue_result wait_there(struct shared_queue *queue, struct store_write *write,
                                           int64_t until_us);
static enum shared_queue_result stand_up(struct shared_queue *queue, struct store_write *write);
static enum shared_queue_result give_up(struct shared_queue *queue, struct store_write *write);
static void take_answer(struct shared_queue *queue, struct store_write *write);
static void clear_seat(struct shared_queue *queue);
static bool take(struct shared_queue *queue, uint32_t seat, struct guest *guest);
static void answer(struct shared_queue *queue, struct guest *guest);
static void call_next(struct shared_queue *queue);

struct shared_queue *shared_queue_open(struct env *env, const struct crypto_mac *mac)
{
    struct shared_queue *queue = calloc(1, sizeof *queue);

    if (queue == NULL) {
        return NULL;
    }
    queue->env = env;
    queue->mac = mac;
    queue->seat = NO_SEAT;
    queue->file = shared_file_map(env_path(env), mac);
    if (queue->file == NULL) {
        free(queue);
        return NULL;
    }
    return queue;
}

void shared_queue_close(struct shared_queue *queue)
{
    if (queue != NULL) {
        shared_file_unmap(queue->file);
        free(queue->guests);
        free(queue);
    }
}

/* ---- a seat's word ---- */

static enum shared_stage stage_of(uint32_t word)
{
    return (enum shared_stage)(word % SHARED_STAGES);
}

static uint32_t at_stage(uint32_t word, enum shared_stage stage)
{
    return word - word % SHARED_STAGES + (uint32_t)stage;
}

static uint32_t look_at(struct shared_queue *queue, uint32_t seat)
{
    return atomic_load(&queue->file->words[seat].now);
}

/* False: it is no longer `word`. */
static bool move(struct shared_queue *queue, uint32_t seat, uint32_t word, enum shared_stage stage)
{
    return atomic_compare_exchange_strong(&queue->file->words[seat].now, &word,
                                          at_stage(word, stage));
}

/* futex(2), between processes: not private. */
static void sleep_there(struct shared_queue *queue, uint32_t word, int64_t at_most_us)
{
    struct timespec time = {.tv_sec = at_most_us / 1000000, .tv_nsec = at_most_us % 1000000 * 1000};

    syscall(SYS_futex, &queue->file->words[queue->seat].now, FUTEX_WAIT, word, &time, NULL, 0);
}

static void wake_up(struct shared_queue *queue, uint32_t seat)
{
    syscall(SYS_futex, &queue->file->words[seat].now, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* ---- whose write it is ---- */

/* What has no pointer in it. */
static bool is_plain(const struct store_write *write)
{
    return write->kind == STORE_WRITE_ROTATE || write->kind == STORE_WRITE_TOUCH ||
           write->kind == STORE_WRITE_ATTACHED;
}

enum shared_queue_result shared_queue_leave(struct shared_queue *queue, struct store_write *write,
                                            int64_t until_us)
{
    if (queue == NULL || !is_plain(write) || !has_seat(queue) || !sit_down(queue, write)) {
        return SHARED_QUEUE_NOT;
    }
    return wait_there(queue, write, until_us);
}

/* The first that no living process has, for as long as this one lives. */
static bool has_seat(struct shared_queue *queue)
{
    uint32_t seats;

    for (int seat = 0; seat < SHARED_SEATS && queue->seat == NO_SEAT; seat++) {
        if (env_seat_take(queue->env, (unsigned)seat)) {
            queue->seat = seat;
            clear_seat(queue);
        }
    }
    if (queue->seat == NO_SEAT) {
        return false;
    }
    seats = atomic_load(&queue->file->seats);
    while (seats < (uint32_t)queue->seat + 1 &&
           !atomic_compare_exchange_weak(&queue->file->seats, &seats, (uint32_t)queue->seat + 1)) {
    }
    return true;
}

static size_t write_out(const struct store_write *write, const struct shared_head *head,
                        uint8_t *bytes);

static bool sit_down(struct shared_queue *queue, const struct store_write *write)
{
    uint32_t seat = (uint32_t)queue->seat;
    uint32_t word = look_at(queue, seat);
    uint32_t next = at_stage(word, SHARED_WAITS) + SHARED_STAGES;
    struct shared_seat *place = &queue->file->places[seat];
    struct shared_head head = {.seat = seat,
                               .word = next,
                               .owner = (uint32_t)getpid(),
                               .kind = (uint32_t)write->kind,
                               .marks = (uint32_t)write->marks,
                               .events = (uint32_t)write->events,
                               .now_ms = write->now_ms};

    if (stage_of(word) != SHARED_FREE) {
        return false;
    }
    if (write->kind == STORE_WRITE_ROTATE) {
        head.rotation = write->of.rotate;
    } else if (write->kind == STORE_WRITE_TOUCH) {
        head.rotation = write->of.touch;
    }
    place->size = (uint32_t)write_out(write, &head, place->bytes);
    if (!crypto_mac_compute(queue->mac, place->bytes, place->size, place->mac)) {
        return false;
    }
    atomic_store(&queue->file->words[seat].now, next);
    return true;
}

static size_t write_out(const struct store_write *write, const struct shared_head *head,
                        uint8_t *bytes)
{
    size_t marks = write->marks * SHARED_MARK;

    memcpy(bytes, head, sizeof *head);
    memcpy(bytes + sizeof *head, write->mark, marks);
    memcpy(bytes + sizeof *head + marks, write->event, write->events * SHARED_EVENT);
    return sizeof *head + marks + write->events * SHARED_EVENT;
}

/* A call comes after the turn was given. So who takes it back looks for the turn once more before
 * it sleeps, and no call is lost. */
static enum shared_queue_result wait_there(struct shared_queue *queue, struct store_write *write,
                                           int64_t until_us)
{
    uint32_t seat = (uint32_t)queue->seat;

    for (;;) {
        uint32_t word = look_at(queue, seat);
        int64_t left_us = until_us - clock_stopwatch_us();

        switch (stage_of(word)) {
        case SHARED_CALLED:
            move(queue, seat, word, SHARED_WAITS);
            word = at_stage(word, SHARED_WAITS);
            break;
        case SHARED_ANSWERED:
            take_answer(queue, write);
            return SHARED_QUEUE_DONE;
        case SHARED_FREE:
        case SHARED_WAITS:
        case SHARED_TAKEN:
            break;
        }
        if (env_turn_take(queue->env, 0)) {
            return stand_up(queue, write);
        } else if (left_us <= 0) {
            return give_up(queue, write);
        }
        sleep_there(queue, word, left_us < LOOK_US ? left_us : LOOK_US);
    }
}

/* With the turn: nobody else takes or answers anything now, and who took it has died. */
static enum shared_queue_result stand_up(struct shared_queue *queue, struct store_write *write)
{
    enum shared_stage stage = stage_of(look_at(queue, (uint32_t)queue->seat));

    if (stage == SHARED_ANSWERED) {
        take_answer(queue, write);
        env_turn_give(queue->env);
        call_next(queue);
        return SHARED_QUEUE_DONE;
    }
    write->unsure = write->unsure || stage == SHARED_TAKEN;
    clear_seat(queue);
    return SHARED_QUEUE_TURN;
}

/* Without the turn, and too late. */
static enum shared_queue_result give_up(struct shared_queue *queue, struct store_write *write)
{
    uint32_t seat = (uint32_t)queue->seat;
    uint32_t word = look_at(queue, seat);

    while (stage_of(word) != SHARED_ANSWERED) {
        if (move(queue, seat, word, SHARED_FREE)) {
            return stage_of(word) == SHARED_TAKEN ? SHARED_QUEUE_LOST : SHARED_QUEUE_LATE;
        }
        word = look_at(queue, seat);
    }
    take_answer(queue, write);
    return SHARED_QUEUE_DONE;
}

static void take_answer(struct shared_queue *queue, struct store_write *write)
{
    uint32_t seat = (uint32_t)queue->seat;
    const struct shared_seat *place = &queue->file->places[seat];

    write->result = place->result <= STORE_FAULT ? (enum store_result)place->result : STORE_FAULT;
    if (write->result == STORE_FAULT && write->fault != NULL) {
        *write->fault = place->fault;
        write->fault->text[sizeof write->fault->text - 1] = '\0';
    }
    clear_seat(queue);
}

/* Ours. Someone may be calling us meanwhile. */
static void clear_seat(struct shared_queue *queue)
{
    uint32_t seat = (uint32_t)queue->seat;

    while (!move(queue, seat, look_at(queue, seat), SHARED_FREE)) {
    }
}

/* ---- with the turn ---- */

struct store_write *shared_queue_take(struct shared_queue *queue)
{
    struct store_write *first = NULL, **end = &first;
    uint32_t seats;

    if (queue == NULL) {
        return NULL;
    }
    queue->guest_count = 0;
    seats = atomic_load(&queue->file->seats);
    for (uint32_t seat = 0; seat < seats && seat < SHARED_SEATS; seat++) {
        enum shared_stage stage = stage_of(look_at(queue, seat));

        if ((int)seat == queue->seat || stage == SHARED_FREE || stage == SHARED_ANSWERED) {
            continue;
        }
        if (queue->guests == NULL) {
            queue->guests = calloc(SHARED_SEATS, sizeof *queue->guests);
        }
        if (queue->guests != NULL && take(queue, seat, &queue->guests[queue->guest_count])) {
            struct guest *guest = &queue->guests[queue->guest_count++];

            *end = &guest->write;
            end = &guest->write.next;
        }
    }
    return first;
}

static bool read_in(struct shared_queue *queue, struct guest *guest, uint32_t owner);

/* Of a process that lives. What is not as it was left there is answered at once. */
static bool take(struct shared_queue *queue, uint32_t seat, struct guest *guest)
{
    uint32_t word = look_at(queue, seat);
    uint32_t owner = (uint32_t)env_seat_holder(queue->env, seat);

    memset(guest, 0, offsetof(struct guest, seat));
    guest->write.fault = &guest->fault;
    guest->write.unsure = stage_of(word) == SHARED_TAKEN;
    guest->seat = seat;
    guest->word = at_stage(word, SHARED_TAKEN);
    if (owner == 0) {
        move(queue, seat, word, SHARED_FREE); /* or it would be looked at with every commit */
        return false;
    } else if (!move(queue, seat, word, SHARED_TAKEN)) {
        return false;
    } else if (!read_in(queue, guest, owner)) {
        guest->write.result = STORE_FAULT;
        fault_set(&guest->fault, "store %s: commit.queue was damaged", env_path(queue->env));
        answer(queue, guest);
        wake_up(queue, seat);
        return false;
    }
    return true;
}

static bool read_in(struct shared_queue *queue, struct guest *guest, uint32_t owner)
{
    const struct shared_seat *place = &queue->file->places[guest->seat];
    struct store_write *write = &guest->write;
    uint8_t bytes[SHARED_BYTES], mac[CRYPTO_HASH_SIZE], right[CRYPTO_HASH_SIZE];
    uint32_t size = place->size;
    struct shared_head head;
    size_t marks;

    if (size < sizeof head || size > sizeof bytes) {
        return false;
    }
    memcpy(bytes, place->bytes, size);
    memcpy(mac, place->mac, sizeof mac);
    memcpy(&head, bytes, sizeof head);
    if (!crypto_mac_compute(queue->mac, bytes, size, right) ||
        !secret_equal(mac, right, sizeof right) || head.seat != guest->seat ||
        at_stage(head.word, SHARED_TAKEN) != guest->word || head.owner != owner ||
        head.marks > STORE_MARKS_MAX || head.events > STORE_EVENTS_MAX) {
        return false;
    }
    marks = head.marks * SHARED_MARK;
    if (size != sizeof head + marks + head.events * SHARED_EVENT) {
        return false;
    }
    write->kind = (enum store_write_kind)head.kind;
    write->now_ms = head.now_ms;
    write->marks = head.marks;
    write->events = head.events;
    memcpy(write->mark, bytes + sizeof head, marks);
    memcpy(write->event, bytes + sizeof head + marks, head.events * SHARED_EVENT);
    if (write->kind == STORE_WRITE_ROTATE) {
        write->of.rotate = head.rotation;
    } else {
        write->of.touch = head.rotation;
    }
    write->result = STORE_FAULT;
    return is_plain(write);
}

void shared_queue_answer(struct shared_queue *queue)
{
    for (size_t i = 0; queue != NULL && i < queue->guest_count; i++) {
        answer(queue, &queue->guests[i]);
    }
}

/* Nothing happens where its process has given it up. */
static void answer(struct shared_queue *queue, struct guest *guest)
{
    struct shared_seat *place = &queue->file->places[guest->seat];

    place->result = (uint32_t)guest->write.result;
    place->fault = guest->fault;
    move(queue, guest->seat, guest->word, SHARED_ANSWERED);
}

void shared_queue_wake(struct shared_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    for (size_t i = 0; i < queue->guest_count; i++) {
        wake_up(queue, queue->guests[i].seat);
    }
    queue->guest_count = 0;
    call_next(queue);
}

static void call_next(struct shared_queue *queue)
{
    uint32_t seats = atomic_load(&queue->file->seats);

    if (seats > SHARED_SEATS) {
        seats = SHARED_SEATS;
    }
    for (uint32_t i = 1; i <= seats; i++) {
        uint32_t seat = (queue->called + i) % seats;
        uint32_t word = look_at(queue, seat);

        if (stage_of(word) == SHARED_WAITS && move(queue, seat, word, SHARED_CALLED)) {
            queue->called = seat;
            wake_up(queue, seat);
            return;
        }
    }
}
