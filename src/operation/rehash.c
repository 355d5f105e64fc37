/* SPDX-License-Identifier: ISC */
/* rehash.c: see rehash.h. */
#include "operation/rehash.h"

#include <string.h>

#include "operation/password_gate.h"

struct rehash {
    char from[ACCOUNT_PASSWORD_MAX + 1];
    char to[PASSWORD_HASH_MAX + 1];
    struct store_write write;
};

static bool make_hash(const struct issuer *issuer, struct text password,
                      char hash[PASSWORD_HASH_MAX + 1]);

struct store_write *rehash_prepare(struct request *request, const struct account *account,
                                   struct text password)
{
    const struct issuer *issuer = request->issuer;
    struct rehash *rehash;

    if (password_method_suffices(&issuer->password_method, account->password)) {
        return NULL;
    }
    rehash = arena_alloc(request->arena, sizeof *rehash);
    if (rehash == NULL || !make_hash(issuer, password, rehash->to)) {
        return NULL;
    }
    memcpy(rehash->from, account->password, sizeof rehash->from);
    store_prepare_account_rehash(&rehash->write, account->number, rehash->from, rehash->to);
    return &rehash->write;
}

/* Never waits for the checks of others. */
static bool make_hash(const struct issuer *issuer, struct text password,
                      char hash[PASSWORD_HASH_MAX + 1])
{
    struct fault fault;
    bool made = password_gate_enter(issuer->gate);

    if (made) {
        made = password_hash(password, &issuer->password_method, &issuer->randomness, hash, &fault);
        password_gate_leave(issuer->gate);
    }
    return made;
}
