/* SPDX-License-Identifier: ISC */
/* limits.c: what this machine can do at the most, measured beside Retoken in the same run:
 * signatures per second with libcrypto alone, and durable LMDB updates in place by batch size. And
 * how many commits a store has seen, to be asked before and after a load. Knows nothing of
 * Retoken's code.
 *
 *   limits sign ALGORITHM THREADS SECONDS
 *       RS256, ES256, HS256, EDDSA
 *   limits store DIR RECORDS BATCH SECONDS
 *       fills DIR/limit-RECORDS first when it is not there
 *   limits both DIR RECORDS ALGORITHM SECONDS
 *       one signature + one durable commit, in turn
 *   limits commits DIR
 *       the number of the last transaction of the LMDB environment in DIR
 *
 * Each prints one JSON object. */
#include <lmdb.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/* A session record of Retoken without a scope has this size. */
enum { RECORD_SIZE = 104, KEY_SIZE = 16, INPUT_SIZE = 420, THREADS_MAX = 1024 };

static void die(const char *what)
{
    fprintf(stderr, "limits: %s failed\n", what);
    exit(3);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- signatures ---- */

static EVP_PKEY *make_key(const char *algorithm)
{
    EVP_PKEY *key = NULL;

    if (strcmp(algorithm, "RS256") == 0) {
        key = EVP_RSA_gen(2048);
    } else if (strcmp(algorithm, "ES256") == 0) {
        key = EVP_EC_gen("P-256");
    } else if (strcmp(algorithm, "EDDSA") == 0) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else if (strcmp(algorithm, "HS256") == 0) {
        key = EVP_PKEY_new_raw_private_key(
            EVP_PKEY_HMAC, NULL, (const unsigned char *)"0123456789abcdef0123456789abcdef", 32);
    }
    if (key == NULL) {
        die("key generation");
    }
    return key;
}

static void sign_once(EVP_MD_CTX *prepared, EVP_MD_CTX *context, const unsigned char *input)
{
    unsigned char signature[512];
    size_t size = sizeof signature;

    if (EVP_MD_CTX_copy_ex(context, prepared) != 1 ||
        EVP_DigestSign(context, signature, &size, input, INPUT_SIZE) != 1) {
        die("signing");
    }
}

struct signer {
    pthread_t thread;
    EVP_PKEY *key;
    const EVP_MD *digest;
    double stop_at;
    uint64_t done;
};

static void *sign_until(void *self)
{
    struct signer *signer = self;
    EVP_MD_CTX *prepared = EVP_MD_CTX_new();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char input[INPUT_SIZE] = {1};

    if (EVP_DigestSignInit(prepared, NULL, signer->digest, NULL, signer->key) != 1) {
        die("DigestSignInit");
    }
    while (now_s() < signer->stop_at) {
        for (int i = 0; i < 16; i++) {
            input[0]++;
            sign_once(prepared, context, input);
            signer->done++;
        }
    }
    EVP_MD_CTX_free(prepared);
    EVP_MD_CTX_free(context);
    return NULL;
}

static int run_sign(const char *algorithm, int threads, double seconds)
{
    static struct signer signers[THREADS_MAX];
    EVP_PKEY *key = make_key(algorithm);
    double begun = now_s();
    uint64_t done = 0;

    for (int i = 0; i < threads; i++) {
        signers[i].key = key;
        signers[i].digest = strcmp(algorithm, "EDDSA") == 0 ? NULL : EVP_sha256();
        signers[i].stop_at = begun + seconds;
        pthread_create(&signers[i].thread, NULL, sign_until, &signers[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(signers[i].thread, NULL);
        done += signers[i].done;
    }
    printf("{\"limit\":\"sign\",\"algorithm\":\"%s\",\"threads\":%d,\"rate\":%.1f}\n", algorithm,
           threads, (double)done / (now_s() - begun));
    return 0;
}

/* ---- the store ---- */

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* The i-th key: in order of creation, as UUIDv7 are. */
static void make_record_key(uint64_t i, unsigned char key[KEY_SIZE])
{
    memset(key, 0x5a, KEY_SIZE);
    for (int k = 7; k >= 0; k--, i >>= 8) {
        key[k] = (unsigned char)i;
    }
}

static void check(int code, const char *what)
{
    if (code != 0) {
        fprintf(stderr, "limits: %s: %s\n", what, mdb_strerror(code));
        exit(3);
    }
}

static MDB_env *open_store(const char *directory, uint64_t records, MDB_dbi *dbi)
{
    char path[1024];
    MDB_env *env;
    MDB_txn *txn;
    MDB_stat stat;

    snprintf(path, sizeof path, "%s/limit-%llu", directory, (unsigned long long)records);
    (void)mkdir(path, 0700);
    check(mdb_env_create(&env), "create");
    check(mdb_env_set_mapsize(env, records * 600 + (64u << 20)), "mapsize");
    check(mdb_env_open(env, path, 0, 0600), "open");
    check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    check(mdb_dbi_open(txn, NULL, 0, dbi), "dbi");
    check(mdb_stat(txn, *dbi, &stat), "stat");
    for (uint64_t i = stat.ms_entries; i < records; i++) {
        unsigned char key[KEY_SIZE], value[RECORD_SIZE] = {0};
        MDB_val k = {KEY_SIZE, key}, v = {RECORD_SIZE, value};

        make_record_key(i, key);
        check(mdb_put(txn, *dbi, &k, &v, MDB_APPEND), "fill");
        if (i % 100000 == 99999) {
            check(mdb_txn_commit(txn), "commit");
            check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
        }
    }
    check(mdb_txn_commit(txn), "commit");
    return env;
}

static void update_batch(MDB_env *env, MDB_dbi dbi, uint64_t records, int batch)
{
    MDB_txn *txn;

    check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    for (int i = 0; i < batch; i++) {
        unsigned char key[KEY_SIZE], value[RECORD_SIZE];
        MDB_val k = {KEY_SIZE, key}, v = {RECORD_SIZE, value};

        memset(value, (int)next_random(), sizeof value);
        make_record_key(next_random() % records, key);
        check(mdb_put(txn, dbi, &k, &v, 0), "update");
    }
    check(mdb_txn_commit(txn), "commit");
}

/* Of this process, in user and kernel. */
static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int run_store(const char *directory, uint64_t records, int batch, double seconds)
{
    MDB_dbi dbi;
    MDB_env *env = open_store(directory, records, &dbi);
    double begun = now_s(), cpu_begun = cpu_s();
    uint64_t done = 0;

    while (now_s() - begun < seconds) {
        update_batch(env, dbi, records, batch);
        done += (uint64_t)batch;
    }
    double took = now_s() - begun;
    printf("{\"limit\":\"store\",\"records\":%llu,\"batch\":%d,\"rate\":%.1f,\"cpu_us\":%.1f}\n",
           (unsigned long long)records, batch, (double)done / took,
           (cpu_s() - cpu_begun) / (double)done * 1e6);
    mdb_env_close(env);
    return 0;
}

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* One client alone pays one signature and one commit, one after the other: its p50. */
static int run_both(const char *directory, uint64_t records, const char *algorithm, double seconds)
{
    enum { MOST = 200000 };
    static double took[MOST];
    MDB_dbi dbi;
    MDB_env *env = open_store(directory, records, &dbi);
    EVP_PKEY *key = make_key(algorithm);
    EVP_MD_CTX *prepared = EVP_MD_CTX_new();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char input[INPUT_SIZE] = {1};
    double begun = now_s();
    size_t done = 0;

    if (EVP_DigestSignInit(prepared, NULL, EVP_sha256(), NULL, key) != 1) {
        die("DigestSignInit");
    }
    while (now_s() - begun < seconds && done < MOST) {
        double from = now_s();

        sign_once(prepared, context, input);
        update_batch(env, dbi, records, 1);
        took[done++] = now_s() - from;
    }
    qsort(took, done, sizeof *took, compare_double);
    printf("{\"limit\":\"both\",\"algorithm\":\"%s\",\"p50_ms\":%.4f}\n", algorithm,
           took[done / 2] * 1e3);
    mdb_env_close(env);
    return 0;
}

/* LMDB numbers write transactions, and counts those that were committed. The environment is left
 * open: closing it may disturb a process that is opening it. */
static int run_commits(const char *directory)
{
    MDB_envinfo info;
    MDB_env *env;

    check(mdb_env_create(&env), "create");
    check(mdb_env_open(env, directory, MDB_RDONLY, 0600), "open");
    check(mdb_env_info(env, &info), "info");
    printf("{\"limit\":\"commits\",\"commits\":%zu}\n", info.me_last_txnid);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "sign") == 0 && atoi(argv[3]) <= THREADS_MAX) {
        return run_sign(argv[2], atoi(argv[3]), atof(argv[4]));
    } else if (argc == 6 && strcmp(argv[1], "store") == 0) {
        return run_store(argv[2], strtoull(argv[3], NULL, 10), atoi(argv[4]), atof(argv[5]));
    } else if (argc == 6 && strcmp(argv[1], "both") == 0) {
        return run_both(argv[2], strtoull(argv[3], NULL, 10), argv[4], atof(argv[5]));
    } else if (argc == 3 && strcmp(argv[1], "commits") == 0) {
        return run_commits(argv[2]);
    }
    fputs("usage: limits sign ALGORITHM THREADS SECONDS\n"
          "       limits store DIR RECORDS BATCH SECONDS\n"
          "       limits both DIR RECORDS ALGORITHM SECONDS\n"
          "       limits commits DIR\n",
          stderr);
    return 2;
}
