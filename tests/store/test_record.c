/* SPDX-License-Identifier: ISC */
/* Every codec: the bytes are as drawn in record.c, what went in comes out, and nothing else is
 * accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "store/records/record.h"

static struct crypto_mac *mac;

static int open_mac(void **state)
{
    (void)state;
    mac = crypto_mac_open("0123456789abcdef0123456789abcdef", 32);
    return mac == NULL;
}

static int close_mac(void **state)
{
    (void)state;
    crypto_mac_close(mac);
    return 0;
}

static const struct txn_bytes key = {"0123456789abcdef", 16};

/* The value of a sealed record, without MAC, in hex; spaces in `expected` are for the reader. */
static void assert_value(const struct txn_bytes *stored, const char *expected)
{
    char hex[2 * RECORD_SIZE_MAX + 1], plain[2 * RECORD_SIZE_MAX + 1];
    size_t size = 0;

    for (const char *c = expected; *c != '\0'; c++) {
        if (*c != ' ') {
            plain[size++] = *c;
        }
    }
    plain[size] = '\0';
    codec_hex_encode(stored->data, stored->size - RECORD_MAC_SIZE, hex);
    assert_string_equal(hex, plain);
}

/* Opens what `from` sealed; asserts that the MAC is right. */
static void reopen(struct record *to, enum table table, struct txn_bytes stored)
{
    record_start(to, table, key);
    assert_true(record_open(to, mac, stored));
}

static const struct record_session full_session = {
    .session = {.account = 7,
                .epoch = 3,
                .generation = 42,
                .end = SESSION_ENDED_ADMIN,
                .scope_given = true,
                .client_proved = true,
                .created_ms = 0x303132333436, /* the key says "012345" */
                .rotated_ms = 0x19a9f2d0a11,
                .used_ms = 0x19a9f2d0a12,
                .expires_ms = 0x19aa4523b00,
                .ended_ms = 0x19a9f2d0a13,
                .spent = {{0x19a9f2d0a13, 0x0c350a13},
                          {0x19a9f2d0a13 - 1500, 0x0c350a13 - 60032},
                          {0x19a9f2d0a13 + 5, 0},
                          {0x19a9f2d0a13 + 5 - (INT64_C(1100) << 30), 0x0c350a13 - 60035}},
                .boot = 0x8f0c66d21b5e9a03,
                .outdated = 30,
                .watched = 33,
                .watched_ms = 0x0c34e8f0,
                .has_alias = true,
                .alias = {0xaa, 0xbb},
                .kept_until_ms = SESSION_FOR_EVER,
                .key_kind = SESSION_KEY_DPOP,
                .key = {0x11},
                .network = {0x22},
                .user_agent = {0x33},
                .device = "phone",
                .event_count = 2,
                .events = {{0x19a9f2c4b00, EVENT_RECOVERED}, {1, EVENT_REUSE}},
                .has_derived_aliases = true,
                .realm = "/oauth/token",
                .client = "web",
                .client_number = 300,
                .scope = "openid",
                .targets = "urn:a"},
    .entry_ms = 0x19aa9783b00,
    .swept = 3};

static void session_is_laid_out_as_drawn(void **state)
{
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct record_session found;
    struct txn_bytes stored;

    (void)state;
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &full_session);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored, "02 ff 92 07 03 03 0000002a"
                          "303132333436 019a9f2d0a11 019a9f2d0a12 019aa4523b00 019aa9783b00"
                          "0000001e 00000021 00000c34e8f0 2200000000000000"
                          "8f0c66d21b5e9a03 8002 00000c350a13"
                          "05dc 1b54 85e1 ffff 7c4c 0003 ffff ffff ffff ffff ffff ffff ffff ffff"
                          "019a9f2d0a13 ffffffffffff"
                          "aabb000000000000000000000000000000000000000000000000000000000000"
                          "01 1100000000000000000000000000000000000000000000000000000000000000"
                          "0000000000000000000000000000000000000000000000000000000000000000"
                          "33000000000000000000000000000000"
                          "05 70686f6e65 02 03 019a9f2c4b00 00 000000000001"
                          "0c 2f6f617574682f746f6b656e 03 776562 812c 06 6f70656e6964"
                          "05 75726e3a61");
    reopen(&again, TABLE_SESSIONS, stored);
    assert_true(record_get_session(&again, &found));
    assert_memory_equal(&found, &full_session, sizeof found);
}

/* Only a session that has moved from the first master secret says which one it is under. */
static void a_session_under_another_secret_says_so(void **state)
{
    struct record_session rolled = full_session, found;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes before, stored;

    (void)state;
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &full_session);
    assert_true(record_seal(&record, mac, &before));
    rolled.session.secret = 0x4f;
    record_start(&again, TABLE_SESSIONS, key);
    record_put_session(&again, &rolled);
    assert_true(record_seal(&again, mac, &stored));
    assert_int_equal(stored.size, before.size + 1);
    reopen(&record, TABLE_SESSIONS, stored);
    assert_true(record_get_session(&record, &found));
    assert_memory_equal(&found, &rolled, sizeof found);
}

/* Every kind of key that a session may be bound to, and no other. */
static void each_kind_of_key_is_kept(void **state)
{
    (void)state;
    for (int kind = SESSION_KEY_DPOP; kind <= SESSION_KEY_CERTIFICATE + 1; kind++) {
        struct record_session bound = full_session, found;
        RECORD(record, RECORD_SIZE_MAX);
        RECORD(again, RECORD_SIZE_MAX);
        struct txn_bytes stored;

        bound.session.key_kind = (enum session_key_kind)kind;
        record_start(&record, TABLE_SESSIONS, key);
        record_put_session(&record, &bound);
        assert_true(record_seal(&record, mac, &stored));
        reopen(&again, TABLE_SESSIONS, stored);
        assert_int_equal(record_get_session(&again, &found), kind <= SESSION_KEY_CERTIFICATE);
        assert_true(kind > SESSION_KEY_CERTIFICATE || (int)found.session.key_kind == kind);
    }
}

/* One that waits says for what, and what its code must come with. */
static void a_pending_session_keeps_its_code_s_terms(void **state)
{
    struct record_session pending = full_session;
    struct record_session found;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes before, stored;

    (void)state;
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &pending);
    assert_true(record_seal(&record, mac, &before));
    size_t size = before.size;
    pending.session.pending = SESSION_PENDING_DEVICE;
    pending.session.challenge[0] = 0x44;
    pending.session.redirect[31] = 0x55;
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &pending);
    assert_true(record_seal(&record, mac, &stored));
    assert_int_equal(stored.size, size + 64);
    assert_int_equal(((const uint8_t *)stored.data)[2], 0xd2);
    reopen(&again, TABLE_SESSIONS, stored);
    assert_true(record_get_session(&again, &found));
    assert_memory_equal(&found, &pending, sizeof found);
}

/* A session has one spelling: an extra that is empty is not there. */
static void an_extra_of_nothing_is_refused(void **state)
{
    static const char device[] = "\5phone";
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct record_session found;
    struct txn_bytes stored;
    uint8_t *at;

    (void)state;
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &full_session);
    at = memmem(record.bytes, record.size, device, sizeof device - 1);
    assert_non_null(at);
    at[0] = 0;
    record.size -= 5;
    memmove(at + 1, at + 6, record.size - (size_t)(at + 1 - record.bytes));
    assert_true(record_seal(&record, mac, &stored));
    reopen(&again, TABLE_SESSIONS, stored);
    assert_false(record_get_session(&again, &found));

    /* nor are audiences that are none, or followed by anything */
    for (size_t i = 0; i < 2; i++) {
        struct record_session unlimited = full_session;

        unlimited.session.targets[0] = i == 0 ? '\0' : 'u';
        record_start(&record, TABLE_SESSIONS, key);
        record_put_session(&record, &unlimited);
        record.bytes[record.size++] = 0;
        assert_true(record_seal(&record, mac, &stored));
        reopen(&again, TABLE_SESSIONS, stored);
        assert_false(record_get_session(&again, &found));
    }
}

/* What most sessions are: 21 bytes of text, and none of the extras. */
static void a_plain_session_is_small(void **state)
{
    const struct record_session plain = {
        .session = {.created_ms = 0x303132333435, /* as the key says */
                    .realm = "/oauth/token",
                    .client = "web",
                    .scope = "openid"}};
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct record_session found;
    struct txn_bytes stored;

    (void)state;
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &plain);
    assert_true(record_seal(&record, mac, &stored));
    assert_int_equal(stored.size, 141);
    reopen(&again, TABLE_SESSIONS, stored);
    assert_true(record_get_session(&again, &found));
    assert_memory_equal(&found, &plain, sizeof found);
}

static void rotation_keeps_the_size(void **state)
{
    struct record_session session = full_session;
    RECORD(record, RECORD_SIZE_MAX);
    struct txn_bytes before, after;

    (void)state;
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &session);
    assert_true(record_seal(&record, mac, &before));
    session.session.generation = UINT32_MAX;
    session.session.boot = 0;
    session.session.outdated = session.session.watched = UINT32_MAX;
    session.session.watched_ms = INT64_MAX;
    memset(session.session.network, 0, sizeof session.session.network);
    for (size_t i = 0; i < SESSION_SPENT_KEPT; i++) {
        session.session.spent[i] = (struct session_spent){INT64_MAX - 1, 0};
    }
    session.session.rotated_ms = session.session.used_ms = session.session.expires_ms = INT64_MAX;
    session.session.has_derived_aliases = true;
    session.entry_ms = INT64_MAX;
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &session);
    assert_true(record_seal(&record, mac, &after));
    assert_int_equal(before.size, after.size);
}

/* Times are kept exactly for two seconds and to a thousandth after that, never as earlier than they
 * were; whatever was written can be read, and is then written as the same bytes. */
static void spending_times_can_be_read_at_every_distance(void **state)
{
    const int64_t later = RECORD_TIME_MAX / 2;
    struct record_session session = full_session;
    struct record_session found;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes stored, restored;

    (void)state;
    session.session.spent[0].wall_ms = later;
    for (int64_t gap = 1; gap <= INT64_C(2047) << 30; gap += 1 + gap / 997) {
        for (int sign = -1; sign <= 1; sign += 2) {
            int64_t off;

            session.session.rotated_ms = later + sign * gap;
            session.session.spent[1].wall_ms = later - sign * gap;
            record_start(&record, TABLE_SESSIONS, key);
            record_put_session(&record, &session);
            assert_true(record_seal(&record, mac, &stored));
            reopen(&again, TABLE_SESSIONS, stored);
            assert_true(record_get_session(&again, &found));
            record_start(&again, TABLE_SESSIONS, key);
            record_put_session(&again, &found);
            assert_true(record_seal(&again, mac, &restored));
            assert_int_equal(restored.size, stored.size);
            assert_memory_equal(restored.data, stored.data, stored.size);
            for (int k = 0; k < 2; k++) { /* both are off by their own gap at most */
                off = found.session.spent[k].wall_ms - session.session.spent[k].wall_ms;
                assert_true(off >= 0 && off <= gap / 512 && (gap >= 2048 || off == 0));
            }
        }
    }
}

static void account_is_laid_out_as_drawn(void **state)
{
    const struct account account = {.enabled = true,
                                    .keep_on_password_change = true,
                                    .epoch = 4,
                                    .session_limit = 5,
                                    .created_ms = 0x19a9f2c3b00,
                                    .last_login_ms = 0x19a9f2c3c00,
                                    .name = "ada",
                                    .roles = "admin",
                                    .claims = "{}",
                                    .password = "$y$",
                                    .rehashed = {0xab}};
    static struct account found;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes stored;

    (void)state;
    record_start(&record, TABLE_ACCOUNTS, key);
    record_put_account(&record, &account);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored,
                 "02 07 0000019a9f2c3b00 0000019a9f2c3c00 00000004 00000005 0003 616461 0000 0005"
                 "61646d696e 0002 7b7d 0003 247924"
                 "ab00000000000000000000000000000000000000000000000000000000000000");
    reopen(&again, TABLE_ACCOUNTS, stored);
    assert_true(record_get_account(&again, &found));
    assert_memory_equal(&found, &account, sizeof found);
}

static void client_is_laid_out_as_drawn(void **state)
{
    const struct client client = {.number = 12,
                                  .created_ms = 1,
                                  .used_ms = 2,
                                  .grants = GRANT_REFRESH,
                                  .secrets = {{"h2:", 1, 3, 4, 13}, {"h3:", 2, 5, 0, 0}},
                                  .override = {.set = POLICY_ROTATION,
                                               .report_only = true,
                                               .recovery_generations = 6,
                                               .recovery_evidence = RECOVERY_EVIDENCE_NONE,
                                               .concurrency_window_ms = 7,
                                               .recovery_window_ms = 8,
                                               .idle_lifetime_ms = 9,
                                               .absolute_lifetime_ms = 10,
                                               .access_lifetime_ms = 11},
                                  .redirect_uris = "https://a/cb",
                                  .origins = "https://a",
                                  .keys = "{}",
                                  .scope = "openid"};
    static struct client found; /* all zero, also between the fields */
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes stored;

    (void)state;
    record_start(&record, TABLE_CLIENTS, key);
    record_put_client(&record, &client);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored, "02 000000000000000c 00 0000000000000001 0000000000000002 00000001"
                          "0003 68323a 0000000000000003 0000000000000004 000000000000000d 00000001"
                          "0003 68333a 0000000000000005 0000000000000000 0000000000000000 00000002"
                          "00000001 00 01 00000006 01 0000000000000007 0000000000000008"
                          "0000000000000009 000000000000000a 000000000000000b"
                          "000c 68747470733a2f2f612f6362 0009 68747470733a2f2f61 0002 7b7d"
                          "0006 6f70656e6964");
    reopen(&again, TABLE_CLIENTS, stored);
    assert_true(record_get_client(&again, &found));
    assert_memory_equal(&found, &client, sizeof found);
}

static void key_is_laid_out_as_drawn(void **state)
{
    const struct signing_row row = {.algorithm = SIGNING_RS256,
                                    .state = SIGNING_ACTIVE,
                                    .created_ms = 2,
                                    .activates_ms = 3,
                                    .retires_ms = 4,
                                    .planned = {.wall_ms = 5, .boot = 6, .boot_ms = 7},
                                    .kid = "k1",
                                    .realm = "/a",
                                    .sealed_size = 3,
                                    .sealed = {1, 2, 3}};
    struct signing_row found;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes stored;

    (void)state;
    record_start(&record, TABLE_KEYS, key);
    record_put_key(&record, &row);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored, "02 01 02 0000000000000002 0000000000000003 0000000000000004"
                          "0000000000000005 0000000000000006 0000000000000007"
                          "0002 6b31 0002 2f61 0003 010203");
    reopen(&again, TABLE_KEYS, stored);
    assert_true(record_get_key(&again, &found));
    assert_memory_equal(&found, &row, sizeof found);
}

/* Without dates. */
static void key_of_the_layout_before_is_read(void **state)
{
    static const uint8_t before[] = {1, 1,   2,   0, 0, 0,   0,   0, 0, 0, 2, 0,
                                     2, 'k', '1', 0, 2, '/', 'a', 0, 3, 1, 2, 3};
    const struct signing_row row = {.algorithm = SIGNING_RS256,
                                    .state = SIGNING_ACTIVE,
                                    .created_ms = 2,
                                    .kid = "k1",
                                    .realm = "/a",
                                    .sealed_size = 3,
                                    .sealed = {1, 2, 3}};
    struct signing_row found;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes stored;

    (void)state;
    for (uint8_t version = 0; version < 4; version++) {
        record_start(&record, TABLE_KEYS, key);
        memcpy(record.bytes + record.size, before, sizeof before);
        record.bytes[record.size] = version;
        record.size += sizeof before;
        assert_true(record_seal(&record, mac, &stored));
        reopen(&again, TABLE_KEYS, stored);
        assert_int_equal(record_get_key(&again, &found), version == 1);
        if (version == 1) {
            assert_memory_equal(&found, &row, sizeof found);
        }
    }
}

static void event_is_laid_out_as_drawn(void **state)
{
    const struct event event = {.at_ms = 3,
                                .kind = EVENT_REVOKED,
                                .repeats = 2,
                                .last_ms = 9,
                                .session = {0xee},
                                .account = 7,
                                .generation = 41,
                                .spent_ago_ms = 0x102,
                                .network = EVENT_NETWORK_OTHER,
                                .realm = "main",
                                .mount = "/a",
                                .client = "web",
                                .address = "::1",
                                .cause = "user",
                                .note = "n",
                                .link = {0xa1}};
    struct event found;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes stored;

    (void)state;
    record_start(&record, TABLE_EVENTS, key);
    record_put_event(&record, &event);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored,
                 "01 04 0000000000000003 00000002 0000000000000009 ee000000000000000000000000000000"
                 "0000000000000007 00000029 0000000000000102 02 04 6d61696e 02 2f61 03 776562 03 "
                 "3a3a31 04 75736572 01 6e"
                 "a1000000000000000000000000000000");
    reopen(&again, TABLE_EVENTS, stored);
    assert_true(record_get_event(&again, &found));
    assert_memory_equal(&found, &event, sizeof found);
}

static void mark_is_laid_out_as_drawn(void **state)
{
    const struct mark mark = {
        .owner = {0x01}, .note = {0x0e}, .at_ms = 3, .until_ms = 4, .count = 5};
    struct mark found;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes stored;

    (void)state;
    memset(&found, 0, sizeof found);
    record_start(&record, TABLE_MARKS, key);
    record_put_mark(&record, &mark);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored, "01 0000000000000003 0000000000000004 00000005"
                          "01000000000000000000000000000000 00000000000000000000000000000000"
                          "0e000000000000000000000000000000 00000000000000000000000000000000");
    reopen(&again, TABLE_MARKS, stored);
    assert_true(record_get_mark(&again, &found));
    assert_memory_equal(&found, &mark, sizeof found);
}

static void epochs_are_laid_out_as_drawn(void **state)
{
    static struct record_epochs epochs, found;
    RECORD(record, RECORD_EPOCHS_SIZE_MAX);
    RECORD(again, RECORD_EPOCHS_SIZE_MAX);
    struct txn_bytes stored;

    (void)state;
    epochs.count = 2;
    epochs.rows[0] = (struct record_epoch){{0x11}, 3, 5};
    epochs.rows[1] = (struct record_epoch){{0}, 1, 6};
    record_start(&record, TABLE_META, key);
    record_put_epochs(&record, &epochs);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored, "01 0002 11000000000000000000000000000000 00000003 0000000000000005 "
                          "00000000000000000000000000000000 00000001 0000000000000006");
    reopen(&again, TABLE_META, stored);
    assert_true(record_get_epochs(&again, &found));
    assert_memory_equal(&found, &epochs, sizeof found);

    epochs.count = RECORD_EPOCHS_MAX;
    record_start(&record, TABLE_META, key);
    record_put_epochs(&record, &epochs);
    assert_true(record_seal(&record, mac, &stored));
    reopen(&again, TABLE_META, stored);
    assert_true(record_get_epochs(&again, &found));
}

static void small_records_are_laid_out_as_drawn(void **state)
{
    const struct record_alias alias = {{0x11}, 42};
    const struct record_counters counters = {8, 6, 1, 3, 4, 2, {5, 6, 7}};
    struct record_alias found_alias;
    const struct record_time time = {5, 6, 8, 7, 9, true};
    struct record_time found_time;
    struct record_counters found_counters;
    uint64_t number;
    RECORD(record, RECORD_SMALL_MAX);
    RECORD(again, RECORD_SMALL_MAX);
    struct txn_bytes stored;

    (void)state;
    record_start(&record, TABLE_ALIASES, key);
    record_put_alias(&record, &alias);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored, "11000000000000000000000000000000 0000002a");
    reopen(&again, TABLE_ALIASES, stored);
    assert_true(record_get_alias(&again, &found_alias));
    assert_memory_equal(&found_alias, &alias, sizeof alias);

    record_start(&record, TABLE_NAMES, key);
    record_put_number(&record, 7);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored, "0000000000000007");
    reopen(&again, TABLE_NAMES, stored);
    assert_true(record_get_number(&again, &number));
    assert_int_equal(number, 7);

    record_start(&record, TABLE_META, key);
    record_put_time(&record, &time);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored, "01 0000000000000005 0000000000000006 0000000000000007 0000000000000008 "
                          "0000000000000009 01");
    reopen(&again, TABLE_META, stored);
    assert_true(record_get_time(&again, &found_time));
    assert_int_equal(found_time.trusted_ms, time.trusted_ms);
    assert_int_equal(found_time.wall_ms, time.wall_ms);
    assert_int_equal(found_time.boot, time.boot);
    assert_int_equal(found_time.boot_ms, time.boot_ms);
    assert_int_equal(found_time.catch_up_ms, time.catch_up_ms);
    assert_true(found_time.ahead);

    record_start(&record, TABLE_META, key);
    record_put_counters(&record, &counters);
    assert_true(record_seal(&record, mac, &stored));
    assert_value(&stored, "01 0000000000000008 0000000000000006 0000000000000001 0000000000000003 "
                          "0000000000000004 00000002 00000005 00000006 00000007 00000000");
    reopen(&again, TABLE_META, stored);
    assert_true(record_get_counters(&again, &found_counters));
    assert_int_equal(found_counters.next_account, counters.next_account);
    assert_int_equal(found_counters.next_client, counters.next_client);
    assert_int_equal(found_counters.next_event, counters.next_event);
    assert_int_equal(found_counters.keyring_version, counters.keyring_version);
    assert_int_equal(found_counters.ended, counters.ended);
    assert_int_equal(found_counters.next_key, counters.next_key);
    assert_memory_equal(found_counters.events, counters.events, sizeof counters.events);
}

static void format_is_laid_out_as_drawn(void **state)
{
    static const struct record_format format = {2, {0x1d}, 5, {0x9f}};
    struct record_format found;
    uint8_t bytes[RECORD_FORMAT_SIZE];
    char hex[2 * RECORD_FORMAT_SIZE + 1];

    (void)state;
    memset(&found, 0, sizeof found); /* padding too, for the comparison */
    record_format_encode(&format, bytes);
    codec_hex_encode(bytes, sizeof bytes, hex);
    assert_string_equal(hex, "7265746f6b656e0a"
                             "00000002"
                             "1d000000000000000000000000000000"
                             "0000000000000005"
                             "9f000000000000000000000000000000");
    assert_true(record_format_decode((struct txn_bytes){bytes, sizeof bytes}, &found));
    assert_memory_equal(&found, &format, sizeof found);
    assert_false(record_format_decode((struct txn_bytes){bytes, sizeof bytes - 1}, &found));
    bytes[0] ^= 1;
    assert_false(record_format_decode((struct txn_bytes){bytes, sizeof bytes}, &found));
}

/* The largest values there can be fit. */
static void largest_values_fit(void **state)
{
    static struct account account, found_account;
    static struct client client, found_client;
    static struct signing_row row, found_row;
    struct record_session session = full_session, found_session;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct txn_bytes stored;

    (void)state;
    memset(account.name, 'n', ACCOUNT_NAME_MAX);
    memset(account.subject, 's', ACCOUNT_SUBJECT_MAX);
    memset(account.roles, 'r', ACCOUNT_ROLES_MAX);
    memset(account.claims, 'c', ACCOUNT_CLAIMS_MAX);
    memset(account.password, 'p', ACCOUNT_PASSWORD_MAX);
    account.rehashed[0] = 1;
    record_start(&record, TABLE_ACCOUNTS, key);
    record_put_account(&record, &account);
    assert_true(record_seal(&record, mac, &stored));
    assert_true(stored.size <= RECORD_ACCOUNT_MAX);
    reopen(&again, TABLE_ACCOUNTS, stored);
    assert_true(record_get_account(&again, &found_account));
    assert_memory_equal(&found_account, &account, sizeof account);

    session.session.secret = 1;
    session.session.account = session.session.client_number = UINT64_MAX;
    session.session.epoch = session.swept = UINT32_MAX;
    session.session.pending = SESSION_PENDING_DEVICE;
    session.session.event_count = SESSION_EVENTS_KEPT;
    memset(session.session.device, 'd', SESSION_DEVICE_MAX);
    memset(session.session.realm, 'r', SESSION_REALM_MAX);
    memset(session.session.client, 'c', CLIENT_ID_MAX);
    memset(session.session.scope, 's', SESSION_SCOPE_MAX);
    memset(session.session.targets, 't', SESSION_TARGETS_MAX);
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &session);
    assert_true(record_seal(&record, mac, &stored));
    assert_true(stored.size <= RECORD_SESSION_MAX);
    reopen(&again, TABLE_SESSIONS, stored);
    assert_true(record_get_session(&again, &found_session));

    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        memset(client.secrets[i].hash, 'h', CLIENT_SECRET_MAX);
    }
    client.override.set = POLICY_ROTATION;
    memset(client.redirect_uris, 'u', CLIENT_URIS_MAX);
    memset(client.origins, 'o', CLIENT_ORIGINS_MAX);
    memset(client.keys, 'j', CLIENT_KEYS_MAX);
    memset(client.scope, 's', CLIENT_SCOPE_MAX);
    record_start(&record, TABLE_CLIENTS, key);
    record_put_client(&record, &client);
    assert_true(record_seal(&record, mac, &stored));
    assert_true(stored.size <= RECORD_SIZE_MAX);
    reopen(&again, TABLE_CLIENTS, stored);
    assert_true(record_get_client(&again, &found_client));
    assert_memory_equal(&found_client, &client, sizeof client);

    row.state = SIGNING_RETIRED;
    row.algorithm = SIGNING_EDDSA;
    memset(row.kid, 'k', SIGNING_KID_MAX);
    memset(row.realm, 'r', SIGNING_REALM_MAX);
    memset(row.sealed, 0xfe, SIGNING_SEALED_MAX);
    row.sealed_size = SIGNING_SEALED_MAX;
    record_start(&record, TABLE_KEYS, key);
    record_put_key(&record, &row);
    assert_true(record_seal(&record, mac, &stored));
    assert_true(stored.size <= RECORD_SIZE_MAX);
    reopen(&again, TABLE_KEYS, stored);
    assert_true(record_get_key(&again, &found_row));
    assert_memory_equal(&found_row, &row, sizeof row);
}

static void what_does_not_fit_is_not_sealed(void **state)
{
    struct record_session session = full_session;
    struct signing_row row = {.state = SIGNING_ACTIVE, .sealed_size = SIGNING_SEALED_MAX + 1};
    char long_key[TABLE_KEY_MAX + 1] = {0};
    RECORD(record, RECORD_SIZE_MAX);
    struct txn_bytes stored;

    (void)state;
    memset(session.session.realm, 'x', sizeof session.session.realm); /* does not end */
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &session);
    assert_false(record_seal(&record, mac, &stored));

    record_start(&record, TABLE_KEYS, key);
    record_put_key(&record, &row);
    assert_false(record_seal(&record, mac, &stored));

    record_start(&record, TABLE_NAMES, (struct txn_bytes){long_key, sizeof long_key});
    record_put_number(&record, 1);
    assert_false(record_seal(&record, mac, &stored));
}

static void mac_covers_table_key_and_value(void **state)
{
    static const struct txn_bytes other_key = {"0123456789abcdeF", 16};
    static const struct txn_bytes short_key = {"0123456789abcde", 15};
    uint8_t bytes[RECORD_SIZE_MAX];
    struct txn_bytes stored;
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);

    (void)state;
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &full_session);
    assert_true(record_seal(&record, mac, &stored));
    memcpy(bytes, stored.data, stored.size);
    stored.data = bytes;

    record_start(&again, TABLE_CLIENTS, key);
    assert_false(record_open(&again, mac, stored));
    record_start(&again, TABLE_SESSIONS, other_key);
    assert_false(record_open(&again, mac, stored));
    record_start(&again, TABLE_SESSIONS, short_key);
    assert_false(record_open(&again, mac, stored));
    for (size_t bit = 0; bit < stored.size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        record_start(&again, TABLE_SESSIONS, key);
        assert_false(record_open(&again, mac, stored));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < stored.size; size++) {
        record_start(&again, TABLE_SESSIONS, key);
        assert_false(record_open(&again, mac, (struct txn_bytes){bytes, size}));
    }
    record_start(&again, TABLE_SESSIONS, key);
    assert_false(record_open(&again, mac, (struct txn_bytes){bytes, RECORD_SIZE_MAX + 1}));
    record_start(&again, TABLE_SESSIONS, key);
    assert_true(record_open(&again, mac, stored));
}

/* Bytes with a right MAC and a layout we do not know, such as a later version's. */
static void strange_values_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {{0, 1}, /* another version */
                {0, 3},
                {1, 0xdf}, /* hashes that are not there */
                {2, SESSION_ENDS},
                {2, 0x80 | (SESSION_ENDS)},
                {15, 0x35}, /* created as the key says */
                {3, 0x80},  /* a number that is longer than it must be */
                {70, 0x7f}, /* 0x7f02: before the beginning of time */
                {71, 0}};   /* 0x8000: a second spelling of no gap */
    RECORD(record, RECORD_SIZE_MAX);
    RECORD(again, RECORD_SIZE_MAX);
    struct record_session found;
    struct txn_bytes stored;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        record_start(&record, TABLE_SESSIONS, key);
        record_put_session(&record, &full_session);
        record.bytes[record.prefix + rows[i].at] = rows[i].value;
        assert_true(record_seal(&record, mac, &stored));
        reopen(&again, TABLE_SESSIONS, stored);
        assert_false(record_get_session(&again, &found));
    }
    /* Every length of a well-MACed value but the right one, and what it would be without "urn:a".
     */
    record_start(&record, TABLE_SESSIONS, key);
    record_put_session(&record, &full_session);
    for (size_t size = record.prefix; size < record.size; size++) {
        RECORD(cut, RECORD_SIZE_MAX);

        cut.prefix = record.prefix;
        cut.size = size;
        memcpy(cut.bytes, record.bytes, size);
        assert_true(record_seal(&cut, mac, &stored));
        reopen(&again, TABLE_SESSIONS, stored);
        assert_int_equal(record_get_session(&again, &found), size + 6 == record.size);
    }
    record.bytes[record.size++] = 0;
    assert_true(record_seal(&record, mac, &stored));
    reopen(&again, TABLE_SESSIONS, stored);
    assert_false(record_get_session(&again, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_is_laid_out_as_drawn),
        cmocka_unit_test(a_session_under_another_secret_says_so),
        cmocka_unit_test(each_kind_of_key_is_kept),
        cmocka_unit_test(a_pending_session_keeps_its_code_s_terms),
        cmocka_unit_test(an_extra_of_nothing_is_refused),
        cmocka_unit_test(a_plain_session_is_small),
        cmocka_unit_test(rotation_keeps_the_size),
        cmocka_unit_test(spending_times_can_be_read_at_every_distance),
        cmocka_unit_test(account_is_laid_out_as_drawn),
        cmocka_unit_test(client_is_laid_out_as_drawn),
        cmocka_unit_test(key_is_laid_out_as_drawn),
        cmocka_unit_test(key_of_the_layout_before_is_read),
        cmocka_unit_test(event_is_laid_out_as_drawn),
        cmocka_unit_test(mark_is_laid_out_as_drawn),
        cmocka_unit_test(epochs_are_laid_out_as_drawn),
        cmocka_unit_test(small_records_are_laid_out_as_drawn),
        cmocka_unit_test(format_is_laid_out_as_drawn),
        cmocka_unit_test(largest_values_fit),
        cmocka_unit_test(what_does_not_fit_is_not_sealed),
        cmocka_unit_test(mac_covers_table_key_and_value),
        cmocka_unit_test(strange_values_are_refused),
    };

    return cmocka_run_group_tests(tests, open_mac, close_mac);
}
