/* SPDX-License-Identifier: ISC */
/* world.h: a small world for tests of the operation: a store in memory, fixed secrets, a clock that
 * stands still until told, randomness that counts, one account, and mounts made by hand. Passwords
 * are hashed at the least cost. */
#ifndef RETOKEN_TESTS_OPERATION_WORLD_H
#define RETOKEN_TESTS_OPERATION_WORLD_H

#include "base/scratch.h"
#include "operation/issue.h"
#include "operation/operation.h"

struct world {
    char scratch[SCRATCH_PATH_MAX]; /* where its store is */
    char secret_file[SCRATCH_PATH_MAX + 8];
    int64_t now_ms;
    struct clock_moment boot; /* boot and boot_ms of "now"; boot 0 (as opened): not known */
    uint64_t random;          /* the next bytes */
    struct secrets secrets;
    char url[SCRATCH_PATH_MAX + 16];
    struct store_settings settings;
    struct store *store;
    struct issuer issuer;
    struct arena *arena;
    struct account ada;
    struct realm realm; /* rotating, native, HS256, oauth layout, 60 s window, idle 30 d */
    struct mount mount; /* of that realm */
    struct fault fault;
};

/* What a refresh or a login is given, in one struct; texts that are not given are empty. */
struct world_ask {
    const struct mount *mount;
    struct text refresh_token;
    const struct text *candidates; /* instead of it */
    size_t candidate_count;
    bool client_bound;
    enum client_proof_kind client_proof;
    struct text client_id;
    struct text client_secret;
    struct text client_raw_secret; /* of the same client, as sent without form-urlencoding */
    struct text client_assertion;
    struct text endpoint_path;
    bool scope_given;
    struct text scope;
    bool username_given;
    struct text username;
    bool access_token_given;
    struct text access_token;
    bool password_given; /* then it is a login, and refresh_token its bearer */
    struct text password;
    bool no_bearer; /* by password alone */
};
/* The request that asks for it, not begun. */
struct request world_request(struct issuer *issuer, const struct world_ask *ask,
                             struct arena *arena);
/* The same for an operation that a client asks for with a token; a client without secret ("") only
 * names itself. */
struct request world_clients_request(struct world *world, const struct operation *operation,
                                     struct text token, const char *client, const char *secret);
/* The same for tokens of client robot's own. */
struct request world_robots_request(struct world *world, const char *secret);
/* All of it, waiting for the writes. */
enum outcome world_run(struct issuer *issuer, const struct world_ask *ask, struct arena *arena,
                       struct answer *answer, struct fault *fault);

/* Asserts on every failure. */
void world_open(struct world *world);
void world_close(struct world *world);
/* Adds a master secret that is in force from now on; its number. */
uint8_t world_roll(struct world *world);
/* Opens the store once more, with a subscription "all" to all events. */
void world_subscribe(struct world *world);
/* Leases and takes the next event that waits for it; false: there is none. */
bool world_told(struct world *world, struct event *event);
/* Adds and activates a key for the mount's algorithm. */
void world_add_key(struct world *world, enum signing_algorithm algorithm, const char *kid);
/* Adds a client, with a secret unless NULL: a generated one, or one that a person chose, at the
 * least cost. */
void world_add_client(struct world *world, const char *id, const char *secret, bool generated);
/* Adds client robot with these grants and the secret "s3cret". */
void world_add_robot(struct world *world, uint32_t grants, const char *scope);
/* Begins a session as `ask` says. */
enum outcome world_issue(struct world *world, const struct issue_ask *ask, struct answer *answer);
/* Begins a session of ada on world->mount; the first refresh token, in the arena. */
struct text world_session(struct world *world, const char *client, const char *scope);
/* Presents a token on `mount` with nothing else. */
enum outcome world_present(struct world *world, const struct mount *mount, struct text token,
                           struct answer *answer);
/* The payload of an access token. */
json_t *world_payload(struct world *world, struct text token);
/* The session record behind an answer. */
struct session world_record(struct world *world, const uint8_t id[SESSION_ID_SIZE]);
/* Turns a realm into kopong's kind: JWT-shaped refresh tokens that do not rotate. */
void world_make_kopong(struct realm *realm);

/* A test with a world over a store in memory in *state. */
int world_set_up(void **state);
int world_tear_down(void **state);
#define CASE(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

#endif
