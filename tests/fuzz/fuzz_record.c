/* SPDX-License-Identifier: ISC */
/* fuzz_record.c: any bytes as the value of a stored record; the first byte chooses the kind.
 * The MAC is made here, so that the decoders are reached. Properties: what is decoded and encoded
 * again is the same bytes, so each value has one record; the record opens as it was sealed, and
 * does not with any one bit changed. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "store/records/record.h"

#define KIND_ROWS                                                                                  \
    KIND(session, struct record_session, &)                                                        \
    KIND(alias, struct record_alias, &)                                                            \
    KIND(account, struct account, &)                                                               \
    KIND(number, uint64_t, )                                                                       \
    KIND(client, struct client, &)                                                                 \
    KIND(key, struct signing_row, &)                                                               \
    KIND(event, struct event, &)                                                                   \
    KIND(counters, struct record_counters, &)                                                      \
    KIND(time, struct record_time, &)                                                              \
    KIND(epochs, struct record_epochs, &)

union value {
#define KIND(name, type, by) type name;
    KIND_ROWS
#undef KIND
};

struct kind {
    bool (*get)(struct record *record, union value *value);
    void (*put)(struct record *record, const union value *value);
};

#define KIND(name, type, by)                                                                       \
    static bool get_##name(struct record *record, union value *value)                              \
    {                                                                                              \
        return record_get_##name(record, &value->name);                                            \
    }                                                                                              \
    static void put_##name(struct record *record, const union value *value)                        \
    {                                                                                              \
        record_put_##name(record, by value->name);                                                 \
    }
KIND_ROWS
#undef KIND

static const struct kind kinds[] = {
#define KIND(name, type, by) {get_##name, put_##name},
    KIND_ROWS
#undef KIND
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const struct crypto_mac *mac(void)
{
    static struct crypto_mac *opened;

    if (opened == NULL) {
        opened = crypto_mac_open("record key", 10);
    }
    FUZZ_ASSERT(opened != NULL);
    return opened;
}

static void start(struct record *record)
{
    record_start(record, TABLE_META, (struct txn_bytes){"the key of a row", 16});
}

/* Seals the bytes as they are. */
static struct txn_bytes seal(struct record *record, const uint8_t *value, size_t size)
{
    struct txn_bytes stored;

    start(record);
    memcpy(record->bytes + record->size, value, size);
    record->size += size;
    FUZZ_ASSERT(record_seal(record, mac(), &stored));
    return stored;
}

static void check_changed(struct txn_bytes stored, uint64_t random)
{
    RECORD(record, RECORD_SIZE_MAX);
    uint8_t changed[RECORD_SIZE_MAX];
    size_t bit = fuzz_random(&random, stored.size * 8);

    memcpy(changed, stored.data, stored.size);
    changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    start(&record);
    FUZZ_ASSERT(!record_open(&record, mac(), (struct txn_bytes){changed, stored.size}));
}

static void check_format(const uint8_t *value, size_t size)
{
    struct record_format format;
    uint8_t again[RECORD_FORMAT_SIZE];

    if (record_format_decode((struct txn_bytes){value, size}, &format)) {
        record_format_encode(&format, again);
        FUZZ_ASSERT(size == sizeof again && memcmp(value, again, size) == 0);
    }
}

static uint8_t version_of(struct txn_bytes bytes)
{
    return *(const uint8_t *)bytes.data;
}

/* Of an older version, what is written is of the present one, and stays as it is. */
static void check_same(const struct kind *kind, union value *value, struct txn_bytes stored)
{
    RECORD(first, RECORD_SIZE_MAX);
    RECORD(read, RECORD_SIZE_MAX);
    RECORD(second, RECORD_SIZE_MAX);
    struct txn_bytes restored, again;

    start(&first);
    kind->put(&first, value);
    FUZZ_ASSERT(record_seal(&first, mac(), &restored));
    if (version_of(restored) == version_of(stored)) {
        FUZZ_ASSERT(restored.size == stored.size);
        FUZZ_ASSERT(memcmp(restored.data, stored.data, stored.size) == 0);
        return;
    }
    start(&read);
    FUZZ_ASSERT(record_open(&read, mac(), restored) && kind->get(&read, value));
    start(&second);
    kind->put(&second, value);
    FUZZ_ASSERT(record_seal(&second, mac(), &again) && again.size == restored.size);
    FUZZ_ASSERT(memcmp(again.data, restored.data, again.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    RECORD(sealed, RECORD_SIZE_MAX);
    RECORD(opened, RECORD_SIZE_MAX);
    static union value value;
    struct txn_bytes stored;

    if (size < 2 || size - 1 > RECORD_SIZE_MAX - RECORD_MAC_SIZE) {
        return 0;
    }
    const struct kind *kind = &kinds[data[0] % KINDS];
    stored = seal(&sealed, data + 1, size - 1);
    start(&opened);
    FUZZ_ASSERT(record_open(&opened, mac(), stored));
    if (kind->get(&opened, &value)) {
        check_same(kind, &value, stored);
    }
    check_changed(stored, fuzz_hash(fuzz_text(data, size)));
    check_format(data + 1, size - 1);
    return 0;
}
