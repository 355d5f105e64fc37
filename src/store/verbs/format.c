/* SPDX-License-Identifier: ISC */
/* format.c: the first records of a store: its format, its id, and what shows that a record key is
 * the right one. Knows no other record. */
#include <string.h>

#include "base/secret.h"
#include "store/verbs/verbs.h"

bool format_read(struct rows *rows, struct record_format *format)
{
    return rows_format_get(rows, format);
}

/* ---- the record key ----
 * Each store has its own: a record of one store means nothing in another one, even under the same
 * master secret. */

static struct crypto_mac *mac_of_store(const uint8_t record_key[32],
                                       const uint8_t store_id[RECORD_STORE_ID_SIZE])
{
    static const char label[] = "retoken store records";
    uint8_t message[sizeof label + RECORD_STORE_ID_SIZE];
    uint8_t key[CRYPTO_HASH_SIZE];
    struct crypto_mac *outer = crypto_mac_open(record_key, 32);
    struct crypto_mac *mac = NULL;

    memcpy(message, label, sizeof label);
    memcpy(message + sizeof label, store_id, RECORD_STORE_ID_SIZE);
    if (outer != NULL && crypto_mac_compute(outer, message, sizeof message, key)) {
        mac = crypto_mac_open(key, sizeof key);
    }
    secret_wipe(key, sizeof key);
    crypto_mac_close(outer);
    return mac;
}

/* What shows later that a record key is the right one. */
static bool proof_of(const struct crypto_mac *mac, uint8_t proof[RECORD_MAC_SIZE])
{
    static const char text[] = "retoken store proof";
    uint8_t full[CRYPTO_HASH_SIZE];

    if (!crypto_mac_compute(mac, text, sizeof text, full)) {
        return false;
    }
    memcpy(proof, full, RECORD_MAC_SIZE);
    return true;
}

/* Retoken 0.1 was not released, so nothing upgrades its stores. */
static void refuse_format(uint32_t version, struct fault *fault)
{
    if (version == 1) {
        fault_set(fault,
                  "it is of format 1 (Retoken 0.1); this version reads format %d: go on using it "
                  "with Retoken 0.1, or make a new store in another directory with `retoken init`",
                  RECORD_FORMAT_VERSION);
    } else {
        fault_set(fault, "it is of format %u; this version reads format %d: use a later version",
                  (unsigned)version, RECORD_FORMAT_VERSION);
    }
}

bool format_accept(struct verbs *verbs, const struct store_settings *settings,
                   const struct record_format *format, struct fault *fault)
{
    uint8_t proof[RECORD_MAC_SIZE];

    if (format->version != RECORD_FORMAT_VERSION) {
        refuse_format(format->version, fault);
        return false;
    }
    verbs->format_version = format->version;
    verbs->mac = mac_of_store(settings->record_key, format->store_id);
    if (verbs->mac == NULL || !proof_of(verbs->mac, proof)) {
        fault_set(fault, "libcrypto failed, or memory ran out");
        return false;
    } else if (!secret_equal(proof, format->proof, RECORD_MAC_SIZE)) {
        fault_set(fault, "it was made under another master secret; name the right secret's file");
        return false;
    }
    return true;
}

void format_make(struct rows *rows, const struct store_settings *settings)
{
    struct record_format format = {.version = RECORD_FORMAT_VERSION,
                                   .created_ms = settings->now_ms};
    struct record_counters counters = {
        .next_account = 1, .next_client = 1, .next_event = 1, .next_key = 1};
    struct randomness randomness = randomness_system();
    struct crypto_mac *mac = NULL;

    if (randomness_fill(&randomness, format.store_id, sizeof format.store_id)) {
        mac = mac_of_store(settings->record_key, format.store_id);
    }
    if (mac == NULL || !proof_of(mac, format.proof)) {
        rows_fail(rows, "libcrypto failed, or memory ran out");
    } else {
        rows->mac = mac;
        rows_format_put(rows, &format);
        rows_counters_put(rows, &counters);
    }
    crypto_mac_close(mac);
}
