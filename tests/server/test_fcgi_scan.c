/* SPDX-License-Identifier: ISC */
/* test_fcgi_scan.c: which bytes are a request, however they are cut; and that libfcgi, the library
 * itself, takes whatever is called one, reads the same out of it and answers nothing by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/expect.h"
#include "server/fcgi_scan.h"

enum { PARAMS_MAX = 2000, BODY_MAX = 1000, ROUNDS = 20000 };
enum { BEGIN = 1, PARAMS = 4, STDIN = 5 };

static const struct fcgi_scan_limits limits = {.params = PARAMS_MAX, .body = BODY_MAX};

/* Record headers and whole records of request 1, for literals. */
#define H(type, length, padding) "\1" type "\0\1" length padding "\0"
#define BEGIN_AS(role, flags)    H("\1", "\0\10", "\0") "\0" role flags "\0\0\0\0\0"
#define BEGIN_1                  BEGIN_AS("\1", "\0")
#define PARAMS_AB                H("\4", "\0\5", "\3") "\1\2abb***" /* a=bb */
#define PARAMS_END               H("\4", "\0\0", "\0")
#define STDIN_XYZ                H("\5", "\0\3", "\0") "xyz"
#define STDIN_END                H("\5", "\0\0", "\0")
#define GOOD                     BEGIN_1 PARAMS_AB PARAMS_END STDIN_XYZ STDIN_END

/* ---- scanning ---- */

struct verdict {
    enum fcgi_scan_state state;
    size_t used;
    size_t body;
    bool keep, plain, authorizes;
    char why[80];
};

/* Each piece in a block of its own size, so that valgrind and ASan see a step beyond. */
static enum fcgi_scan_state feed_piece(struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                                       const unsigned char *bytes, size_t size, size_t *used)
{
    unsigned char *piece = malloc(size > 0 ? size : 1);
    enum fcgi_scan_state state;

    assert_non_null(piece);
    memcpy(piece, bytes, size);
    state = buffer != NULL ? fcgi_scan_collect(scan, buffer, piece, size, used)
                           : fcgi_scan_feed(scan, piece, size, used);
    assert_true(*used <= size);
    free(piece);
    return state;
}

static struct verdict verdict_of(const struct fcgi_scan *scan, size_t used)
{
    struct verdict verdict = {.state = scan->state,
                              .used = scan->state == FCGI_SCAN_BAD ? 0 : used,
                              .body = fcgi_scan_body(scan),
                              .keep = fcgi_scan_keep(scan),
                              .plain = fcgi_scan_plain(scan),
                              .authorizes = fcgi_scan_authorizes(scan)};

    snprintf(verdict.why, sizeof verdict.why, "%s", fcgi_scan_why(scan));
    return verdict;
}

/* In pieces that `size_of_piece` gives. */
static struct verdict look_in_pieces(struct text bytes, struct fcgi_buffer *buffer,
                                     size_t (*size_of_piece)(void *self), void *self)
{
    struct fcgi_scan scan;
    size_t at = 0;
    size_t used = 0;

    fcgi_scan_start(&scan, &limits);
    while (at < bytes.size && scan.state == FCGI_SCAN_PART) {
        struct text rest = text_cut(text_from(bytes, at), size_of_piece(self));

        feed_piece(&scan, buffer, (const unsigned char *)rest.data, rest.size, &used);
        assert_true(used == rest.size || scan.state != FCGI_SCAN_PART);
        at += used;
    }
    return verdict_of(&scan, at);
}

static size_t all(void *self)
{
    (void)self;
    return SIZE_MAX;
}

static size_t one(void *self)
{
    (void)self;
    return 1;
}

/* The first piece of *self bytes, then the rest. */
static size_t split(void *self)
{
    size_t *first = self;
    size_t size = *first;

    *first = SIZE_MAX;
    return size;
}

static struct verdict look(struct text bytes)
{
    return look_in_pieces(bytes, NULL, all, NULL);
}

static void expect_same_verdict(const struct verdict *a, const struct verdict *b)
{
    assert_string_equal(a->why, b->why);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->used, b->used);
    assert_int_equal(a->keep, b->keep);
    if (a->state == FCGI_SCAN_WHOLE) {
        assert_int_equal(a->body, b->body);
        assert_int_equal(a->plain, b->plain);
        assert_int_equal(a->authorizes, b->authorizes);
    }
}

/* ---- what a well-formed request says, parsed again here ---- */

struct content {
    bool authorizes;
    unsigned char params[PARAMS_MAX];
    size_t params_size;
    unsigned char *body;
    size_t body_size;
};

static void read_content(struct text request, struct content *content)
{
    const unsigned char *at = (const unsigned char *)request.data;
    size_t size;

    *content = (struct content){.authorizes = at[9] == 2, .body = malloc(request.size)};
    assert_non_null(content->body);
    do {
        size = (size_t)at[4] * 256 + at[5];
        if (at[1] == PARAMS) {
            memcpy(content->params + content->params_size, at + 8, size);
            content->params_size += size;
        } else if (at[1] == STDIN) {
            memcpy(content->body + content->body_size, at + 8, size);
            content->body_size += size;
        }
        at += 8 + size + at[6];
    } while (at < (const unsigned char *)request.data + request.size);
}

static size_t read_length(const unsigned char **at)
{
    const unsigned char *from = *at;

    *at += from[0] < 128 ? 1 : 4;
    return from[0] < 128 ? from[0]
                         : (size_t)(from[0] & 0x7f) << 24 | (size_t)from[1] << 16 |
                               (size_t)from[2] << 8 | from[3];
}

static void expect_params(char **variables, const struct content *content)
{
    const unsigned char *at = content->params;

    while (at < content->params + content->params_size) {
        size_t name = read_length(&at);
        size_t value = read_length(&at);
        const char *variable = *variables++;

        assert_non_null(variable);
        assert_memory_equal(variable, at, name);
        assert_int_equal(variable[name], '=');
        assert_memory_equal(variable + name + 1, at + name, value);
        assert_int_equal(variable[name + 1 + value], '\0');
        at += name + value;
    }
    assert_null(*variables);
}

static void expect_body(FCGX_Stream *in, const struct content *content)
{
    char *body = malloc(content->body_size + 1);

    assert_non_null(body);
    assert_int_equal(FCGX_GetStr(body, (int)content->body_size + 1, in), content->body_size);
    assert_memory_equal(body, content->body, content->body_size);
    assert_int_equal(FCGX_GetError(in), 0);
    free(body);
}

/* ---- libfcgi ---- */

/* A file with these bytes, to be read from its start. Unlike a socket it neither waits nor fills.
 */
static int file_of(struct text bytes)
{
    int fd = memfd_create("request", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.data, bytes.size), bytes.size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* As fastcgi.c does it. */
static int accept_from(FCGX_Request *fcgi, int fd)
{
    FCGX_InitRequest(fcgi, -1, 0);
    fcgi->ipcFd = fd;
    fcgi->keepConnection = 1;
    return FCGX_Accept_r(fcgi);
}

static void expect_libfcgi_reads(struct text bytes, const struct content *content)
{
    FCGX_Request fcgi;
    int fd = file_of(bytes);

    assert_int_equal(accept_from(&fcgi, fd), 0);
    assert_string_equal(fcgi.envp[0],
                        content->authorizes ? "FCGI_ROLE=AUTHORIZER" : "FCGI_ROLE=RESPONDER");
    expect_params(fcgi.envp + 1, content);
    if (!content->authorizes) { /* nothing follows its parameters */
        expect_body(fcgi.in, content);
    }
    assert_int_equal(lseek(fd, 0, SEEK_END), bytes.size); /* libfcgi wrote nothing */
    FCGX_Free(&fcgi, 0);
    close(fd);
}

/* libfcgi reads the same out of what is called whole, and out of its copy. */
static void expect_fit_for_libfcgi(struct text bytes, const struct verdict *verdict,
                                   const struct fcgi_buffer *buffer)
{
    struct text request = text_cut(bytes, verdict->used);
    struct text copied = {(const char *)buffer->bytes, buffer->size};
    struct verdict of_copy = look(copied);
    struct content content;

    read_content(request, &content);
    assert_int_equal(content.body_size, verdict->body);
    if (verdict->plain) {
        expect_libfcgi_reads(request, &content);
    }
    if (content.body_size > BODY_MAX + 1) {
        content.body_size = BODY_MAX + 1;
    }
    expect_libfcgi_reads(copied, &content);
    assert_int_equal(of_copy.state, FCGI_SCAN_WHOLE);
    assert_int_equal(of_copy.used, copied.size);
    assert_int_equal(of_copy.body, content.body_size);
    assert_int_equal(of_copy.keep, verdict->keep);
    assert_int_equal(of_copy.authorizes, verdict->authorizes);
    assert_true(of_copy.plain);
    free(content.body);
}

/* ---- one by one ---- */

static void test_a_request_however_cut(void **state)
{
    const struct text good = TEXT(GOOD);
    struct verdict whole = look(good);

    (void)state;
    assert_int_equal(whole.state, FCGI_SCAN_WHOLE);
    assert_int_equal(whole.used, good.size);
    assert_int_equal(whole.body, 3);
    assert_false(whole.keep);
    assert_true(whole.plain);
    assert_string_equal(whole.why, "");
    for (size_t first = 0; first < good.size; first++) {
        size_t size = first;
        struct verdict begun = look(text_cut(good, first));
        struct verdict cut = look_in_pieces(good, NULL, split, &size);

        assert_int_equal(begun.state, FCGI_SCAN_PART);
        assert_int_equal(begun.used, first);
        expect_same_verdict(&cut, &whole);
    }
    struct verdict slow = look_in_pieces(good, NULL, one, NULL);
    expect_same_verdict(&slow, &whole);
}

static void test_what_is_whole(void **state)
{
    static const struct {
        struct text bytes;
        size_t body;
        bool keep, plain;
    } rows[] = {
        {LITERAL(BEGIN_1 PARAMS_END STDIN_END), 0, false, true},
        {LITERAL(BEGIN_AS("\1", "\1") PARAMS_END STDIN_END), 0, true, true},
        {LITERAL(BEGIN_AS("\1", "\376") PARAMS_END STDIN_END), 0, false, true}, /* other flags */
        {LITERAL(BEGIN_1 PARAMS_AB PARAMS_AB PARAMS_END STDIN_XYZ STDIN_XYZ STDIN_END), 6, false,
         true},
        /* a pair over two and over five records */
        {LITERAL(BEGIN_1 H("\4", "\0\3", "\0") "\1\2a" H("\4", "\0\2",
                                                         "\1") "bb*" PARAMS_END STDIN_END),
         0, false, true},
        {LITERAL(BEGIN_1 H("\4", "\0\1", "\0") "\1" H("\4", "\0\1", "\0") "\2" H(
             "\4", "\0\1", "\0") "a" H("\4", "\0\1", "\0") "b" H("\4", "\0\1",
                                                                 "\0") "b" PARAMS_END STDIN_END),
         0, false, true},
        /* lengths of four bytes, cut in two */
        {LITERAL(BEGIN_1 H("\4", "\0\2", "\0") "\200\0" H(
             "\4", "\0\11", "\0") "\0\1\200\0\0\2abb" PARAMS_END STDIN_END),
         0, false, true},
        {LITERAL(BEGIN_1 H("\4", "\0\2", "\0") "\0\0" PARAMS_END STDIN_END), 0, false, true},
        /* padding everywhere */
        {LITERAL(BEGIN_1 PARAMS_AB PARAMS_END H("\5", "\0\3", "\5") "xyz*****" STDIN_END), 3, false,
         true},
        {LITERAL(H("\1", "\0\10", "\2") "\0\1\0\0\0\0\0\0**" PARAMS_END STDIN_END), 0, false,
         false},
        {LITERAL(BEGIN_1 H("\4", "\0\0", "\2") "**" STDIN_END), 0, false, false},
        {LITERAL(BEGIN_1 PARAMS_END H("\5", "\0\0", "\2") "**"), 0, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fcgi_buffer buffer = {0};
        struct verdict verdict = look_in_pieces(rows[i].bytes, &buffer, all, NULL);
        struct verdict slow = look_in_pieces(rows[i].bytes, NULL, one, NULL);

        assert_string_equal(verdict.why, "");
        assert_int_equal(verdict.state, FCGI_SCAN_WHOLE);
        assert_int_equal(verdict.used, rows[i].bytes.size);
        assert_int_equal(verdict.body, rows[i].body);
        assert_int_equal(verdict.keep, rows[i].keep);
        assert_int_equal(verdict.plain, rows[i].plain);
        expect_same_verdict(&slow, &verdict);
        expect_fit_for_libfcgi(rows[i].bytes, &verdict, &buffer);
        fcgi_buffer_free(&buffer);
    }
}

/* What asks an authorizer has no body. */
static void test_of_an_authorizer(void **state)
{
    static const struct {
        struct text bytes;
        size_t rest;
        bool keep, plain;
    } rows[] = {
        {LITERAL(BEGIN_AS("\2", "\0") PARAMS_AB PARAMS_END), 0, false, true},
        {LITERAL(BEGIN_AS("\2", "\1") PARAMS_END), 0, true, true},
        {LITERAL(BEGIN_AS("\2", "\0") PARAMS_END STDIN_END), 8, false, true},
        {LITERAL(BEGIN_AS("\2", "\0") H("\4", "\0\0", "\2") "**"), 0, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fcgi_buffer buffer = {0};
        struct verdict verdict = look_in_pieces(rows[i].bytes, &buffer, all, NULL);
        struct verdict slow = look_in_pieces(rows[i].bytes, NULL, one, NULL);

        assert_string_equal(verdict.why, "");
        assert_int_equal(verdict.state, FCGI_SCAN_WHOLE);
        assert_int_equal(verdict.used, rows[i].bytes.size - rows[i].rest);
        assert_int_equal(verdict.body, 0);
        assert_true(verdict.authorizes);
        assert_int_equal(verdict.keep, rows[i].keep);
        assert_int_equal(verdict.plain, rows[i].plain);
        expect_same_verdict(&slow, &verdict);
        expect_fit_for_libfcgi(rows[i].bytes, &verdict, &buffer);
        fcgi_buffer_free(&buffer);
    }
}

static void test_what_is_bad(void **state)
{
    static const struct {
        const char *why;
        struct text bytes; /* bad with the last of them, and not before */
    } rows[] = {
        {"not FastCGI version 1", LITERAL("GET / HT")},
        {"not FastCGI version 1", LITERAL("\0\1\0\1\0\10\0\0")},
        {"not FastCGI version 1", LITERAL(BEGIN_1 "\2\4\0\1\0\0\0\0")},
        {"the first record is not BEGIN_REQUEST", LITERAL(PARAMS_END)},
        {"the first record is not BEGIN_REQUEST", LITERAL(H("\2", "\0\0", "\0"))},
        {"BEGIN_REQUEST has a wrong size", LITERAL(H("\1", "\0\7", "\0"))},
        {"BEGIN_REQUEST has a wrong size", LITERAL(H("\1", "\1\10", "\0"))},
        {"BEGIN_REQUEST has a wrong size", LITERAL(H("\1", "\0\0", "\0"))},
        {"BEGIN_REQUEST without a request id", LITERAL("\1\1\0\0\0\10\0\0")},
        {"a role other than responder and authorizer", LITERAL(BEGIN_AS("\0", "\0"))},
        {"a role other than responder and authorizer", LITERAL(BEGIN_AS("\3", "\1"))},
        {"a role other than responder and authorizer",
         LITERAL(H("\1", "\0\10", "\0") "\1\1\0\0\0\0\0\0")},
        {"a management record", LITERAL("\1\11\0\0\0\0\0\0")},
        {"a management record", LITERAL(BEGIN_1 "\1\11\0\0\0\20\0\0")},
        {"a management record", LITERAL(BEGIN_1 PARAMS_END "\1\5\0\0\0\0\0\0")},
        {"BEGIN_REQUEST while a request is open", LITERAL(BEGIN_1 H("\1", "\0\10", "\0"))},
        {"BEGIN_REQUEST while a request is open", LITERAL(BEGIN_1 "\1\1\0\2\0\10\0\0")},
        {"a record of another request", LITERAL(BEGIN_1 "\1\4\0\2\0\0\0\0")},
        {"a record of another request", LITERAL(BEGIN_1 "\1\4\1\1\0\0\0\0")},
        {"a record of another request", LITERAL(BEGIN_1 "\1\2\0\2\0\0\0\0")},
        {"a record of another request", LITERAL(BEGIN_1 PARAMS_END "\1\5\0\2\0\0\0\0")},
        {"STDIN before the end of PARAMS", LITERAL(BEGIN_1 STDIN_END)},
        {"STDIN before the end of PARAMS", LITERAL(BEGIN_1 PARAMS_AB H("\5", "\0\3", "\0"))},
        {"PARAMS after their end", LITERAL(BEGIN_1 PARAMS_END PARAMS_END)},
        {"DATA, which is not for a responder", LITERAL(BEGIN_1 H("\10", "\0\0", "\0"))},
        {"DATA, which is not for a responder",
         LITERAL(BEGIN_1 PARAMS_END STDIN_XYZ H("\10", "\0\0", "\0"))},
        {"a record of a type that no web server sends", LITERAL(BEGIN_1 H("\3", "\0\10", "\0"))},
        {"a record of a type that no web server sends", LITERAL(BEGIN_1 H("\6", "\0\0", "\0"))},
        {"a record of a type that no web server sends", LITERAL(BEGIN_1 H("\0", "\0\0", "\0"))},
        {"a record of a type that no web server sends", LITERAL(BEGIN_1 H("\377", "\0\0", "\0"))},
        /* 2,000 bytes are taken: that many announced, in one record and in two */
        {"PARAMS are larger than we take", LITERAL(BEGIN_1 H("\4", "\7\321", "\0"))},
        {"PARAMS are larger than we take", LITERAL(BEGIN_1 PARAMS_AB H("\4", "\7\314", "\0"))},
        {"PARAMS end inside a name-value pair",
         LITERAL(BEGIN_1 H("\4", "\0\1", "\0") "\1" PARAMS_END)},
        {"PARAMS end inside a name-value pair",
         LITERAL(BEGIN_1 H("\4", "\0\4", "\0") "\1\2ab" PARAMS_END)},
        {"PARAMS end inside a name-value pair",
         LITERAL(BEGIN_1 H("\4", "\0\3", "\0") "\0\200\0" PARAMS_END)},
        {"PARAMS end inside a name-value pair",
         LITERAL(BEGIN_1 H("\4", "\0\2", "\0") "\200\0" PARAMS_END)},
        {"PARAMS end inside a name-value pair",
         LITERAL(BEGIN_1 H("\4", "\0\6", "\0") "\1\2abb\0" PARAMS_END)},
        /* the bombs: refused at the length's last byte, before any more has come */
        {"a name-value pair announces more than we take",
         LITERAL(BEGIN_1 H("\4", "\0\20", "\0") "\377\377\377\377")},
        {"a name-value pair announces more than we take",
         LITERAL(BEGIN_1 H("\4", "\0\20", "\0") "\1\377\377\377\376")},
        {"a name-value pair announces more than we take",
         LITERAL(BEGIN_1 H("\4", "\0\20", "\0") "\300\0\0\0")},
        /* at the edge of the limit: 8 + 1,000 + 993, 3 + 4 + 1,994, 5 + 1,996 */
        {"a name-value pair announces more than we take",
         LITERAL(BEGIN_1 H("\4", "\0\20", "\0") "\200\0\3\350\200\0\3\341")},
        {"a name-value pair announces more than we take",
         LITERAL(BEGIN_1 H("\4", "\0\20", "\0") "\0\1*\200\0\7\312")},
        {"a name-value pair announces more than we take",
         LITERAL(BEGIN_1 H("\4", "\0\20", "\0") "\200\0\7\314\0")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text before = text_cut(rows[i].bytes, rows[i].bytes.size - 1);
        struct verdict verdict = look(rows[i].bytes);
        struct verdict slow = look_in_pieces(rows[i].bytes, NULL, one, NULL);

        assert_string_equal(verdict.why, rows[i].why);
        assert_int_equal(verdict.state, FCGI_SCAN_BAD);
        assert_int_equal(look(before).state, FCGI_SCAN_PART);
        expect_same_verdict(&slow, &verdict);
    }
}

static void test_largest_params(void **state)
{
    static const char head[] =
        BEGIN_1 H("\4", "\7\320", "\0") "\200\0\3\350\200\0\3\340"; /* 8 + 1,000 + 992 */
    char bytes[sizeof head - 1 + 1992 + 16];

    (void)state;
    memset(bytes, 'p', sizeof bytes);
    memcpy(bytes, head, sizeof head - 1);
    memcpy(bytes + sizeof bytes - 16, PARAMS_END STDIN_END, 16);
    assert_int_equal(look((struct text){bytes, sizeof bytes}).state, FCGI_SCAN_WHOLE);
}

static void test_aborted(void **state)
{
    static const struct text rows[] = {
        LITERAL(BEGIN_1 H("\2", "\0\0", "\0")),
        LITERAL(BEGIN_1 PARAMS_AB H("\2", "\0\0", "\0")),
        LITERAL(BEGIN_1 PARAMS_AB PARAMS_END STDIN_XYZ H("\2", "\0\0", "\0")),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(look(rows[i]).state, FCGI_SCAN_ABORTED);
        assert_string_equal(look(rows[i]).why, "");
    }
}

static void test_bytes_behind_are_left(void **state)
{
    const struct text two = TEXT(GOOD GOOD "\1");
    struct text rest = text_from(two, sizeof GOOD - 1);
    struct verdict first = look(two);
    struct verdict second = look(rest);
    struct fcgi_scan scan;
    size_t used;

    (void)state;
    assert_int_equal(first.state, FCGI_SCAN_WHOLE);
    assert_int_equal(first.used, sizeof GOOD - 1);
    assert_int_equal(second.state, FCGI_SCAN_WHOLE);
    assert_int_equal(second.used, sizeof GOOD - 1);
    fcgi_scan_start(&scan, &limits);
    assert_int_equal(fcgi_scan_feed(&scan, two.data, two.size, &used), FCGI_SCAN_WHOLE);
    assert_int_equal(fcgi_scan_feed(&scan, rest.data, rest.size, &used), FCGI_SCAN_WHOLE);
    assert_int_equal(used, 0); /* until it is started again */
}

/* Here one sees what `plain` is for. What makes it worse: a stream of PARAMS that breaks between
 * two pairs passes for one that has ended there, and FCGX_Accept_r succeeds. */
static void test_libfcgi_trips_over_padding(void **state)
{
    static const struct text rows[] = {
        LITERAL(
            H("\1", "\0\10", "\2") "\0\1\0\0\0\0\0\0**" PARAMS_AB PARAMS_END STDIN_XYZ STDIN_END),
        LITERAL(BEGIN_1 H("\4", "\0\0", "\2") "**" STDIN_XYZ STDIN_END),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        FCGX_Request fcgi;
        char body[8];
        int fd = file_of(rows[i]);

        assert_int_equal(look(rows[i]).state, FCGI_SCAN_WHOLE);
        assert_false(look(rows[i]).plain);
        assert_int_equal(accept_from(&fcgi, fd), 0);
        assert_null(fcgi.envp[1]);
        FCGX_GetStr(body, sizeof body, fcgi.in);
        assert_int_not_equal(FCGX_GetError(fcgi.in), 0);
        FCGX_Free(&fcgi, 0);
        close(fd);
    }
}

/* The offset in the file when libfcgi has read the first request to its end. */
static off_t read_to(struct text bytes)
{
    FCGX_Request fcgi;
    char body[16384];
    int fd = file_of(bytes);
    off_t at;

    assert_int_equal(accept_from(&fcgi, fd), 0);
    FCGX_GetStr(body, sizeof body, fcgi.in);
    assert_int_equal(FCGX_GetError(fcgi.in), 0);
    at = lseek(fd, 0, SEEK_CUR);
    FCGX_Free(&fcgi, 0);
    close(fd);
    return at;
}

/* It reads 8 KiB at a time, so that it takes the beginning of the next request with it and loses
 * that, and stops at the last header, so that it may leave padding to be read as the next one. */
static void test_libfcgi_does_not_stop_at_the_end(void **state)
{
    enum { AT_ONCE = 8192, BODY = AT_ONCE - 16 - 8 - 8 - 8 };
    static const char head[] = BEGIN_1 PARAMS_END H("\5", "\37\330", "\0");
    char bytes[AT_ONCE + 2] = {0};

    (void)state;
    assert_int_equal(read_to(TEXT(GOOD GOOD)), 2 * (sizeof GOOD - 1));
    memcpy(bytes, head, sizeof head - 1);
    memcpy(bytes + AT_ONCE - 8, H("\5", "\0\0", "\2"), 8);
    assert_int_equal(look((struct text){bytes, sizeof bytes}).state, FCGI_SCAN_WHOLE);
    assert_int_equal(look((struct text){bytes, sizeof bytes}).body, BODY);
    assert_false(look((struct text){bytes, sizeof bytes}).plain);
    assert_int_equal(read_to((struct text){bytes, sizeof bytes}), AT_ONCE);
}

/* ---- the copy ---- */

static size_t collect(struct fcgi_scan *scan, struct fcgi_buffer *buffer, struct text bytes)
{
    size_t used;

    feed_piece(scan, buffer, (const unsigned char *)bytes.data, bytes.size, &used);
    return used;
}

static void test_copy_is_in_the_fewest_records(void **state)
{
    static const char expected[] = BEGIN_1 H("\4", "\0\12", "\0") "\1\2abb\1\2abb" PARAMS_END H(
        "\5", "\0\6", "\0") "xyzxyz" STDIN_END;
    struct fcgi_buffer buffer = {0};
    struct verdict verdict =
        look_in_pieces(TEXT(BEGIN_1 PARAMS_AB PARAMS_AB PARAMS_END STDIN_XYZ STDIN_XYZ H(
                           "\5", "\0\0", "\3") "***" GOOD),
                       &buffer, one, NULL);

    (void)state;
    assert_int_equal(verdict.state, FCGI_SCAN_WHOLE);
    assert_int_equal(buffer.size, sizeof expected - 1);
    assert_memory_equal(buffer.bytes, expected, buffer.size);
    fcgi_buffer_free(&buffer);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.size + buffer.room + buffer.open, 0);
    fcgi_buffer_free(&buffer); /* harmless */
}

static void test_copy_grows_with_what_arrives(void **state)
{
    static char name[5000];
    struct fcgi_buffer buffer = {0};
    struct fcgi_scan scan;
    const struct fcgi_scan_limits large = {.params = 1 << 30, .body = 1 << 30};

    (void)state;
    fcgi_scan_start(&scan, &large);
    collect(&scan, &buffer, TEXT(BEGIN_1 H("\4", "\377\377", "\0") "\277\377\0\0\200\0\0\0"));
    assert_true(buffer.room <= 4096);
    for (size_t i = 0; i < sizeof name; i++) {
        assert_int_equal(collect(&scan, &buffer, (struct text){name, 1}), 1);
        assert_true(buffer.size <= buffer.room);
    }
    assert_true(buffer.room <= 2 * buffer.size);
    assert_int_equal(scan.state, FCGI_SCAN_PART);
    fcgi_buffer_free(&buffer);

    fcgi_scan_start(&scan, &large);
    collect(&scan, &buffer, TEXT(BEGIN_1 H("\4", "\377\377", "\0") "\277\377\0\0\200\0\0\0"));
    collect(&scan, &buffer, (struct text){name, sizeof name});
    assert_true(buffer.room <= 2 * buffer.size);
    fcgi_buffer_free(&buffer);
}

/* An over-long body is read to its end, kept to one byte more than the limit, and refused only when
 * there is no end to it. */
static void test_long_body(void **state)
{
    enum { RECORD = 65535, BODY = 70000 };
    static char record[8 + RECORD] = H("\5", "\377\377", "\0");
    const struct fcgi_scan_limits wide = {.params = 100, .body = BODY};
    struct fcgi_buffer buffer = {0};
    struct fcgi_scan scan;
    struct fcgi_scan endless;
    size_t count = (BODY + FCGI_SCAN_EXCESS) / RECORD;
    size_t fixed = sizeof BEGIN_1 - 1 + sizeof PARAMS_END - 1;

    (void)state;
    fcgi_scan_start(&scan, &wide);
    collect(&scan, &buffer, TEXT(BEGIN_1 PARAMS_END));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(collect(&scan, &buffer, (struct text){record, sizeof record}),
                         sizeof record);
        assert_int_equal(scan.state, FCGI_SCAN_PART);
    }
    assert_int_equal(fcgi_scan_body(&scan), count * RECORD);
    assert_int_equal(buffer.size, fixed + 8 + RECORD + 8 + BODY + 1 - RECORD);
    assert_true(buffer.room < buffer.size + 200);
    endless = scan;
    collect(&scan, &buffer, TEXT(STDIN_END));
    assert_int_equal(scan.state, FCGI_SCAN_WHOLE);
    assert_int_equal(buffer.size, fixed + 8 + RECORD + 8 + BODY + 1 - RECORD + 8);
    size_t used;
    assert_int_equal(fcgi_scan_feed(&endless, record, sizeof record, &used), FCGI_SCAN_BAD);
    assert_string_equal(fcgi_scan_why(&endless), "the body is too large even to be read");
    assert_int_equal(used, 8);
    fcgi_buffer_free(&buffer);
}

/* ---- many ---- */

static uint64_t random_state = 20260101;

static uint64_t random_below(uint64_t end)
{
    random_state ^= random_state << 13; /* xorshift: the same numbers in every run */
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % end;
}

struct message {
    unsigned char bytes[16384];
    size_t size;
};

static void add_record(struct message *message, int type, const void *content, size_t size,
                       size_t padding)
{
    unsigned char header[8] = {1, (unsigned char)type, 0, 1};

    assert_true(message->size + 8 + size + padding <= sizeof message->bytes);
    header[4] = (unsigned char)(size >> 8);
    header[5] = (unsigned char)size;
    header[6] = (unsigned char)padding;
    memcpy(message->bytes + message->size, header, sizeof header);
    if (size > 0) {
        memcpy(message->bytes + message->size + 8, content, size);
    }
    memset(message->bytes + message->size + 8 + size, '*', padding);
    message->size += 8 + size + padding;
}

static void add_stream(struct message *message, int type, const unsigned char *content, size_t size)
{
    while (size > 0) {
        size_t step = 1 + random_below(random_below(3) == 0 ? 16 : size);

        step = step < size ? step : size;
        add_record(message, type, content, step, random_below(2) * random_below(8));
        content += step;
        size -= step;
    }
    add_record(message, type, NULL, 0, random_below(16) == 0 ? random_below(256) : 0);
}

static size_t put_length(unsigned char *at, size_t length)
{
    if (length < 128 && random_below(4) > 0) {
        at[0] = (unsigned char)length;
        return 1;
    }
    at[0] = 0x80;
    at[1] = 0;
    at[2] = (unsigned char)(length >> 8);
    at[3] = (unsigned char)length;
    return 4;
}

static void make_request(struct message *message)
{
    unsigned char begin[8] = {0, 1, (unsigned char)random_below(2)};
    unsigned char content[PARAMS_MAX];
    size_t size = 0;

    message->size = 0;
    add_record(message, BEGIN, begin, sizeof begin, random_below(16) == 0 ? 3 : 0);
    for (size_t pairs = random_below(8); pairs > 0; pairs--) {
        size_t name = random_below(20);
        size_t value = random_below(random_below(4) == 0 ? 200 : 20);

        size += put_length(content + size, name);
        size += put_length(content + size, value);
        memset(content + size, 'n', name);
        memset(content + size + name, 'v', value);
        size += name + value;
    }
    add_stream(message, PARAMS, content, size);
    memset(content, 'b', sizeof content);
    add_stream(message, STDIN, content,
               random_below(4) == 0 ? random_below(1500) : random_below(20));
}

/* Bytes that mean something as a version, type, length or padding. */
static unsigned char telling_byte(void)
{
    static const unsigned char bytes[] = {0, 1, 2, 3, 4, 5, 8, 9, 16, 127, 128, 255};
    return random_below(3) == 0 ? (unsigned char)random_below(256)
                                : bytes[random_below(sizeof bytes)];
}

static void mutate(struct message *message)
{
    size_t at = random_below(message->size);
    size_t size = 1 + random_below(16);

    size = size < message->size - at ? size : message->size - at;
    switch (random_below(5)) {
    case 0: /* left out */
        memmove(message->bytes + at, message->bytes + at + size, message->size - at - size);
        message->size -= size;
        break;
    case 1: /* repeated */
        if (message->size + size <= sizeof message->bytes) {
            memmove(message->bytes + at + size, message->bytes + at, message->size - at);
            message->size += size;
        }
        break;
    case 2:
        message->bytes[at] ^= (unsigned char)(1 << random_below(8));
        break;
    default:
        message->bytes[at] = telling_byte();
        break;
    }
    message->size = message->size > 0 ? message->size : 1;
}

static size_t any(void *self)
{
    (void)self;
    return random_below(8) == 0 ? random_below(2000) : random_below(12);
}

/* Looks at it in one piece and in random ones, with and without a copy. */
static enum fcgi_scan_state try_out(const struct message *message)
{
    struct text bytes = {(const char *)message->bytes, message->size};
    struct fcgi_buffer buffer = {0};
    struct fcgi_buffer other = {0};
    struct verdict whole = look(bytes);
    struct verdict cut = look_in_pieces(bytes, &buffer, any, NULL);
    struct verdict again = look_in_pieces(bytes, &other, all, NULL);

    expect_same_verdict(&cut, &whole);
    expect_same_verdict(&again, &whole);
    if (whole.state == FCGI_SCAN_WHOLE) {
        assert_int_equal(buffer.size, other.size);
        assert_memory_equal(buffer.bytes, other.bytes, buffer.size);
        expect_fit_for_libfcgi(bytes, &whole, &buffer);
    }
    fcgi_buffer_free(&buffer);
    fcgi_buffer_free(&other);
    return whole.state;
}

static void test_random_requests(void **state)
{
    struct message *message = malloc(sizeof *message);

    (void)state;
    assert_non_null(message);
    for (size_t i = 0; i < ROUNDS / 4; i++) {
        make_request(message);
        assert_int_equal(try_out(message), FCGI_SCAN_WHOLE);
    }
    free(message);
}

static void test_random_mutations(void **state)
{
    struct message *message = malloc(sizeof *message);
    size_t seen[FCGI_SCAN_ABORTED + 1] = {0};

    (void)state;
    assert_non_null(message);
    for (size_t i = 0; i < ROUNDS; i++) {
        make_request(message);
        for (size_t changes = 1 + random_below(3); changes > 0; changes--) {
            mutate(message);
        }
        seen[try_out(message)]++;
    }
    assert_true(seen[FCGI_SCAN_PART] > ROUNDS / 100);
    assert_true(seen[FCGI_SCAN_WHOLE] > ROUNDS / 100);
    assert_true(seen[FCGI_SCAN_BAD] > ROUNDS / 100);
    assert_true(seen[FCGI_SCAN_ABORTED] > 0);
    free(message);
}

static int set_up(void **state)
{
    (void)state;
    return FCGX_Init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_however_cut),
        cmocka_unit_test(test_what_is_whole),
        cmocka_unit_test(test_of_an_authorizer),
        cmocka_unit_test(test_what_is_bad),
        cmocka_unit_test(test_largest_params),
        cmocka_unit_test(test_aborted),
        cmocka_unit_test(test_bytes_behind_are_left),
        cmocka_unit_test(test_libfcgi_trips_over_padding),
        cmocka_unit_test(test_libfcgi_does_not_stop_at_the_end),
        cmocka_unit_test(test_copy_is_in_the_fewest_records),
        cmocka_unit_test(test_copy_grows_with_what_arrives),
        cmocka_unit_test(test_long_body),
        cmocka_unit_test(test_random_requests),
        cmocka_unit_test(test_random_mutations),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
