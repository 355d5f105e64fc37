/* SPDX-License-Identifier: ISC */
/* password_gate.c: see password_gate.h. A check is named by an HMAC of owner, hash and password
 * under a random key, so neither the table nor the time that a look takes says what is in it. */
#include "operation/password_gate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/secret.h"

enum { WAYS = 8, SETS = PASSWORDS_REMEMBERED / WAYS };

struct name {
    uint8_t mac[CRYPTO_HASH_SIZE];
};

/* One check that is made or waits, for everyone who asks for it. */
struct place {
    struct name name;
    struct name owner;
    unsigned askers; /* 0: the place is free */
    bool done;
    enum password_check result;
};

struct password_gate {
    struct randomness randomness;
    unsigned most;        /* hashes at a time */
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t changed;
    struct place places[PASSWORD_PLACES];
    unsigned running;
    /* Both from the first password on. Most processes see none, and a CGI script whose key signs
     * without random numbers then starts no generator of them. */
    struct crypto_mac *mac;
    struct set *right; /* SETS */
};

/* What was right, in one of SETS. */
struct set {
    struct name names[WAYS];
    unsigned next; /* the one that is forgotten first */
};

static bool name_of(struct password_gate *gate, struct text owner, struct text password,
                    const char *hash, struct name *name);
static bool remembered(const struct password_gate *gate, const struct name *name);
static void remember(struct password_gate *gate, const struct name *name);
static struct place *take_place(struct password_gate *gate, const struct name *name,
                                const struct name *owner);
static void compute(struct password_gate *gate, struct place *place, struct text password,
                    const char *hash);
static enum password_check verify_behind_others(struct text password, const char *hash);
static void wait_for_change(struct password_gate *gate);

struct password_gate *password_gate_open(size_t processors, const struct randomness *randomness)
{
    struct password_gate *gate = calloc(1, sizeof *gate);

    if (gate == NULL) {
        return NULL;
    }
    gate->randomness = *randomness;
    gate->most = processors / 2 > PASSWORD_CHECKS ? PASSWORD_CHECKS : (unsigned)processors / 2;
    gate->most += gate->most == 0;
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
    return gate;
}

void password_gate_close(struct password_gate *gate)
{
    if (gate != NULL) {
        pthread_cond_destroy(&gate->changed);
        pthread_mutex_destroy(&gate->lock);
        crypto_mac_close(gate->mac);
        if (gate->right != NULL) {
            secret_wipe(gate->right, SETS * sizeof *gate->right);
            free(gate->right);
        }
        secret_wipe(gate, sizeof *gate);
        free(gate);
    }
}

enum password_check password_gate_verify(struct password_gate *gate, struct text owner,
                                         struct text password, const char *hash)
{
    enum password_check result = PASSWORD_BUSY;
    struct name name;
    struct name owned;
    struct place *place;

    if (password.size > PASSWORD_MAX) {
        return PASSWORD_WRONG;
    } else if (!name_of(gate, owner, password, hash, &name) ||
               !name_of(gate, owner, (struct text){0}, "", &owned)) {
        return PASSWORD_FAULT;
    }
    pthread_mutex_lock(&gate->lock);
    if (remembered(gate, &name)) {
        result = PASSWORD_RIGHT;
    } else if ((place = take_place(gate, &name, &owned)) != NULL) {
        if (place->askers++ == 0) {
            compute(gate, place, password, hash);
        }
        while (!place->done) {
            wait_for_change(gate);
        }
        result = place->result;
        place->askers--;
    }
    pthread_mutex_unlock(&gate->lock);
    secret_wipe(&name, sizeof name);
    return result;
}

bool password_gate_enter(struct password_gate *gate)
{
    bool may;

    pthread_mutex_lock(&gate->lock);
    may = gate->running < gate->most;
    gate->running += may;
    pthread_mutex_unlock(&gate->lock);
    return may;
}

void password_gate_leave(struct password_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->running--;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

bool password_gate_knows(struct password_gate *gate, struct text owner, struct text password,
                         const char *hash)
{
    struct name name;
    bool knows = false;

    if (password.size <= PASSWORD_MAX && name_of(gate, owner, password, hash, &name)) {
        pthread_mutex_lock(&gate->lock);
        knows = remembered(gate, &name);
        pthread_mutex_unlock(&gate->lock);
    }
    return knows;
}

static const struct crypto_mac *mac_of(struct password_gate *gate);

/* False: libcrypto failed, or the owner's name is too long. */
static bool name_of(struct password_gate *gate, struct text owner, struct text password,
                    const char *hash, struct name *name)
{
    char all[512 + PASSWORD_HASH_MAX + PASSWORD_MAX + 3];
    size_t size = 0;
    const struct text parts[] = {owner, text_of(hash), password};
    const struct crypto_mac *mac = mac_of(gate);
    bool made;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].size + 1 > sizeof all - size) {
            return false;
        }
        if (parts[i].size > 0) {
            memcpy(all + size, parts[i].data, parts[i].size);
        }
        size += parts[i].size;
        all[size++] = '\0'; /* in neither of the first two */
    }
    made = mac != NULL && crypto_mac_compute(mac, all, size, name->mac);
    secret_wipe(all, size);
    return made;
}

/* NULL: no randomness, or no memory; the next one tries again. */
static const struct crypto_mac *mac_of(struct password_gate *gate)
{
    uint8_t key[CRYPTO_KEY_SIZE];

    pthread_mutex_lock(&gate->lock);
    if (gate->mac == NULL && randomness_fill(&gate->randomness, key, sizeof key)) {
        gate->mac = crypto_mac_open(key, sizeof key);
        secret_wipe(key, sizeof key);
    }
    const struct crypto_mac *mac = gate->mac;
    pthread_mutex_unlock(&gate->lock);
    return mac;
}

/* ---- what was right ---- */

static size_t set_of(const struct name *name)
{
    return (name->mac[0] | (size_t)name->mac[1] << 8) % SETS;
}

static bool remembered(const struct password_gate *gate, const struct name *name)
{
    bool found = false;

    for (size_t i = 0; i < WAYS && gate->right != NULL; i++) {
        found |= secret_equal(&gate->right[set_of(name)].names[i], name, sizeof *name);
    }
    return found;
}

static void remember(struct password_gate *gate, const struct name *name)
{
    if (gate->right == NULL) {
        gate->right = calloc(SETS, sizeof *gate->right);
    }
    if (gate->right != NULL) {
        struct set *set = &gate->right[set_of(name)];

        set->names[set->next++ % WAYS] = *name;
    }
}

/* ---- what is being checked ---- */

/* The place where this check is made already, else a free one; NULL: there is none for it. */
static struct place *take_place(struct password_gate *gate, const struct name *name,
                                const struct name *owner)
{
    struct place *free_place = NULL;
    unsigned of_owner = 0;

    for (size_t i = 0; i < PASSWORD_PLACES; i++) {
        struct place *place = &gate->places[i];

        if (place->askers == 0) {
            free_place = place;
        } else if (secret_equal(&place->name, name, sizeof *name)) {
            return place;
        } else if (secret_equal(&place->owner, owner, sizeof *owner)) {
            of_owner++;
        }
    }
    if (free_place == NULL || of_owner >= PASSWORD_OF_OWNER) {
        return NULL;
    }
    *free_place = (struct place){.name = *name, .owner = *owner};
    return free_place;
}

static void compute(struct password_gate *gate, struct place *place, struct text password,
                    const char *hash)
{
    enum password_check result;

    while (gate->running == gate->most) {
        wait_for_change(gate);
    }
    gate->running++;
    pthread_mutex_unlock(&gate->lock);
    result = verify_behind_others(password, hash);
    pthread_mutex_lock(&gate->lock);
    gate->running--;
    place->result = result;
    place->done = true;
    if (result == PASSWORD_RIGHT) {
        remember(gate, &place->name);
    }
    pthread_cond_broadcast(&gate->changed);
}

/* ---- behind what is quick ---- */

struct check {
    struct text password;
    const char *hash;
    enum password_check result;
};

static void *verify(void *self);

/* A thread may lower its priority and not raise it again, so each hash gets a thread of its own,
 * which costs a thousandth of it. Without one it is computed here. */
static enum password_check verify_behind_others(struct text password, const char *hash)
{
    struct check check = {.password = password, .hash = hash};
    pthread_t thread;

    if (pthread_create(&thread, NULL, verify, &check) != 0) {
        return password_verify(password, hash);
    }
    pthread_join(thread, NULL);
    return check.result;
}

/* On Linux a priority is a thread's, and 0 this one. Who may raise it does not. */
static void *verify(void *self)
{
    struct check *check = self;

    if (getpriority(PRIO_PROCESS, 0) < PASSWORD_NICE) {
        (void)setpriority(PRIO_PROCESS, 0, PASSWORD_NICE);
    }
    check->result = password_verify(check->password, check->hash);
    return NULL;
}

static void wait_for_change(struct password_gate *gate)
{
    pthread_cond_wait(&gate->changed, &gate->lock);
}
