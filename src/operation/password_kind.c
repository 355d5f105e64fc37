/* SPDX-License-Identifier: ISC */
/* password_kind.c: see password_kind.h. */
#include "operation/password_kind.h"

#include <string.h>

enum { ROUNDS_USUAL = 5000, ROUNDS_LEAST = 1000, ROUNDS_MOST = 2000000, BCRYPT_SALT = 22 };
enum { MEMORY_COST_USUAL = 5, MEMORY_COST_MOST = 7, SALT_MAX = 86 };

/* Cuts the parameters off what follows the prefix; false: they are none, or not usual ones. */
typedef bool read_cost(struct text *rest, uint32_t *cost);
static read_cost read_yescrypt;
static read_cost read_scrypt;
static read_cost read_bcrypt;
static read_cost read_rounds;
static read_cost read_nothing;

struct row {
    const char *prefix;
    enum password_kind kind;
    size_t checksum; /* characters at the end */
    bool separate;   /* after a `$` of its own */
    read_cost *read;
    uint32_t most; /* cost */
};

static const struct row rows[] = {
    {"$y$", PASSWORD_YESCRYPT, 43, true, read_yescrypt, MEMORY_COST_MOST},
    {"$gy$", PASSWORD_GOST_YESCRYPT, 43, true, read_yescrypt, MEMORY_COST_MOST},
    {"$7$", PASSWORD_SCRYPT, 43, true, read_scrypt, MEMORY_COST_MOST},
    {"$2b$", PASSWORD_BCRYPT, 31, false, read_bcrypt, 15},
    {"$2y$", PASSWORD_BCRYPT, 31, false, read_bcrypt, 15},
    {"$2a$", PASSWORD_BCRYPT, 31, false, read_bcrypt, 15},
    {"$6$", PASSWORD_SHA512, 86, true, read_rounds, ROUNDS_MOST},
    {"$5$", PASSWORD_SHA256, 43, true, read_rounds, ROUNDS_MOST},
    {"$apr1$", PASSWORD_APACHE_MD5, 22, true, read_nothing, 0},
    {"$1$", PASSWORD_MD5, 22, true, read_nothing, 0},
};

/* What is made. */
static const struct {
    const char *word;
    const char *prefix;
    enum password_kind kind;
    uint32_t usual, least, most;
} methods[] = {
    {"yescrypt", "$y$", PASSWORD_YESCRYPT, MEMORY_COST_USUAL, 1, MEMORY_COST_MOST},
    {"bcrypt", "$2b$", PASSWORD_BCRYPT, 12, 10, 15},
    {"sha512crypt", "$6$", PASSWORD_SHA512, 500000, ROUNDS_USUAL, ROUNDS_MOST},
};

static bool salt_is_good(struct text salt, const struct row *row);
static bool is_crypt64(struct text t);
static int digit(char c);
static bool read_memory(int log2_n, int r, uint32_t *cost);

/* ---- what is made ---- */

bool password_method_parse(struct text value, struct password_method *method)
{
    bool has_cost = text_find(value, ':') < value.size;
    struct text word = text_split(&value, ':');

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        uint64_t cost = methods[i].usual;

        if (text_is(word, methods[i].word) &&
            (!has_cost ||
             (text_to_u64(value, methods[i].most, &cost) && cost >= methods[i].least))) {
            *method = (struct password_method){methods[i].kind, (uint32_t)cost};
            return true;
        }
    }
    return false;
}

const char *password_method_prefix(const struct password_method *method)
{
    return methods[method->kind].prefix;
}

uint32_t password_method_cost(const struct password_method *method)
{
    return method->cost != 0 ? method->cost : methods[method->kind].usual;
}

/* ---- what a hash says ---- */

static const struct row *find(struct text hash)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (text_starts(hash, text_of(rows[i].prefix))) {
            return &rows[i];
        }
    }
    return NULL;
}

bool password_method_suffices(const struct password_method *method, const char *hash)
{
    const struct row *row = find(text_of(hash));
    struct text rest;
    uint32_t cost;

    if (row == NULL || row->kind != method->kind) {
        return false;
    }
    rest = text_from(text_of(hash), strlen(row->prefix));
    return row->read(&rest, &cost) && cost >= password_method_cost(method);
}

const char *password_kind_refuse(struct text hash)
{
    const struct row *row = find(hash);
    struct text rest;
    uint32_t cost;

    if (text_starts(hash, TEXT("{SHA}"))) {
        return "a plain SHA-1 hash, which is soon guessed; set a new password: htpasswd -B";
    } else if (row == NULL) {
        return "not a hash of a known kind, but a plain password, DES or worse; set a new "
               "password: htpasswd -B";
    }
    rest = text_from(hash, strlen(row->prefix));
    if (!row->read(&rest, &cost)) {
        return "a hash with parameters that are not usual; set a new password: htpasswd -B";
    } else if (cost > row->most) {
        return "a hash that costs more than a login may; set a new password: htpasswd -B";
    } else if (rest.size < row->checksum + (row->separate ? 1 : 0) ||
               !is_crypt64(text_from(rest, rest.size - row->checksum)) ||
               !salt_is_good(text_cut(rest, rest.size - row->checksum), row)) {
        return "not a whole hash; is the line cut off?";
    }
    return NULL;
}

void password_kind_blank(char *hash)
{
    const struct row *row = find(text_of(hash));

    memset(hash + strlen(hash) - row->checksum, '.', row->checksum);
}

/* With the `$` behind it, where there is one. */
static bool salt_is_good(struct text salt, const struct row *row)
{
    if (!row->separate) {
        return salt.size == BCRYPT_SALT && is_crypt64(salt);
    }
    return salt.data[salt.size - 1] == '$' && salt.size <= SALT_MAX + 1 &&
           text_find(salt, '$') == salt.size - 1 && text_find(salt, ':') == salt.size &&
           text_is_visible_ascii(salt);
}

static bool is_crypt64(struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        if (digit(t.data[i]) < 0) {
            return false;
        }
    }
    return true;
}

/* crypt(5)'s digits to the base 64; -1 for none. */
static int digit(char c)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

/* ---- costs ---- */

/* "j9T$": flags that crypt_gensalt writes, log2 N and r, each less one, and no more. */
static bool read_yescrypt(struct text *rest, uint32_t *cost)
{
    if (rest->size < 4 || rest->data[0] != 'j' || rest->data[3] != '$' ||
        !read_memory(digit(rest->data[1]) + 1, digit(rest->data[2]) + 1, cost)) {
        return false;
    }
    *rest = text_from(*rest, 4);
    return true;
}

/* "CU..../....": log2 N, then r and p in five digits each, the lowest first. */
static bool read_scrypt(struct text *rest, uint32_t *cost)
{
    if (rest->size < 11 || !text_is(text_cut(text_from(*rest, 2), 9), "..../....") ||
        !read_memory(digit(rest->data[0]), digit(rest->data[1]), cost)) {
        return false;
    }
    *rest = text_from(*rest, 11);
    return true;
}

/* 128 * N * r bytes, as crypt_gensalt counts: 1 MiB is 1, and twice as much one more. */
static bool read_memory(int log2_n, int r, uint32_t *cost)
{
    uint64_t mib;

    if (log2_n < 1 || log2_n > 30 || r < 1) {
        return false;
    }
    mib = (UINT64_C(128) * (uint64_t)r << log2_n) >> 20;
    for (*cost = 0; mib > 0; mib >>= 1) {
        ++*cost;
    }
    return true;
}

static bool read_bcrypt(struct text *rest, uint32_t *cost)
{
    uint64_t value;

    if (rest->size < 3 || rest->data[2] != '$' || !text_to_u64(text_cut(*rest, 2), 31, &value) ||
        value < 4) {
        return false;
    }
    *cost = (uint32_t)value;
    *rest = text_from(*rest, 3);
    return true;
}

static bool read_rounds(struct text *rest, uint32_t *cost)
{
    uint64_t value = ROUNDS_USUAL;

    if (text_starts(*rest, TEXT("rounds="))) {
        *rest = text_from(*rest, strlen("rounds="));
        if (!text_to_u64(text_split(rest, '$'), 999999999, &value) || value < ROUNDS_LEAST) {
            return false;
        }
    }
    *cost = (uint32_t)value;
    return true;
}

static bool read_nothing(struct text *rest, uint32_t *cost)
{
    (void)rest;
    *cost = 0;
    return true;
}
