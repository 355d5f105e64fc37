/* SPDX-License-Identifier: ISC */
/* test_template.c: what each place becomes, what is left out with it, and what is no template. */
#include <stdio.h>

#include "base/expect.h"
#include "base/template.h"

static struct arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(1 << 20);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

/* ---- the values ---- */

enum { HARD, WORDS, NUMBER, NONE, READY, CLAIM };

static void look(const void *from, const struct template_name *name, const char *detail,
                 struct arena *memory, struct template_value *value)
{
    const json_t *claims = from;

    (void)memory;
    switch (name->kind) {
    case HARD:
        *value =
            (struct template_value){.kind = TEMPLATE_TEXT, .text = TEXT("a\"b\\c/d\n\xc3\xa4\x01")};
        break;
    case WORDS:
        *value = (struct template_value){.kind = TEMPLATE_WORDS, .text = TEXT("read write")};
        break;
    case NUMBER:
        *value = (struct template_value){.kind = TEMPLATE_NUMBER, .number = -42};
        break;
    case READY:
        *value = (struct template_value){.kind = TEMPLATE_WRITTEN, .text = TEXT("{\"a\":[]}")};
        break;
    case CLAIM:
        *value = (struct template_value){
            .kind = TEMPLATE_PARSED,
            .parsed = strcmp(detail, "*") == 0 ? claims : json_object_get(claims, detail)};
        break;
    default:
        break;
    }
}

static const struct template_name known[] = {{"hard", HARD, 0},
                                             {"words", WORDS, 0},
                                             {"number", NUMBER, 0},
                                             {"none", NONE, 0},
                                             {"ready", READY, 0},
                                             {"claim.", CLAIM, 0},
                                             {0}};
static const struct template_names names = {known, look};

#define CLAIMS "{\"s\":\"x/y\",\"i\":7,\"b\":true,\"o\":{\"k\":null},\"id\":9}"

static struct text filled_from(const char *json, const char *source, enum template_media media,
                               unsigned style)
{
    struct fault fault = {0};
    const json_t *claims = json_in_object(arena, text_of(json), NULL);
    const struct template *template =
        template_compile(arena, text_of(source), media, style, &names, &fault);
    struct buffer out;
    struct text text = {0};

    assert_non_null(claims);
    if (template == NULL) {
        fail_msg("%s: %s", source, fault.text);
    } else {
        buffer_start(&out, arena, 16);
        template_fill(template, claims, &out);
        assert_true(buffer_finish(&out, &text));
    }
    return text;
}

static struct text filled(const char *source, enum template_media media, unsigned style)
{
    return filled_from(CLAIMS, source, media, style);
}

/* ---- what comes out ---- */

static void json_values(void **state)
{
    static const struct {
        const char *source, *wanted;
    } rows[] = {
        {"{ \"a\" :1 }\n", "{ \"a\" :1 }\n"},
        {"[\"${number}\",${number}]", "[\"-42\",-42]"},
        {"{\"a\":\"<${hard}>\"}", "{\"a\":\"<a\\\"b\\\\c/d\\n\xc3\xa4\\u0001>\"}"},
        {"{\"a\":${hard}}", "{\"a\":\"a\\\"b\\\\c/d\\n\xc3\xa4\\u0001\"}"},
        {"{\"a\":${words},\"b\":\"${words}\"}",
         "{\"a\":[\"read\",\"write\"],\"b\":\"read write\"}"},
        {"{\"a\":${none},\"b\":\"${none}\"}", "{\"a\":null,\"b\":\"\"}"},
        {"{\"a\":${ready},\"b\":\"${ready}\"}", "{\"a\":{\"a\":[]},\"b\":\"\"}"},
        {"{\"a\":${claim.s},\"b\":${claim.i},\"c\":${claim.b},\"d\":${claim.o},\"e\":${claim.no}}",
         "{\"a\":\"x/y\",\"b\":7,\"c\":true,\"d\":{\"k\":null},\"e\":null}"},
        {"{\"a\":\"${claim.s}${claim.i}${claim.b}${claim.o}\"}", "{\"a\":\"x/y7\"}"},
        {"\"$${number}\"", "\"${number}\""},
        {"\"\\\"${number}\\\\\"", "\"\\\"-42\\\\\""},
        {"{\"\\u0061\":\"\\n\\/${number}\"}", "{\"\\u0061\":\"\\n\\/-42\"}"},
        {"${number}", "-42"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_text(filled(rows[i].source, TEMPLATE_JSON, JSON_STYLE_PLAIN), rows[i].wanted);
    }
}

static void what_is_absent_takes_its_member_along(void **state)
{
    static const struct {
        const char *source, *wanted;
    } rows[] = {
        {"{\"a\":1,\"b\":${none?}}", "{\"a\":1}"},
        {"{\"a\":1, \"b\":${none?} ,\"c\":2}", "{\"a\":1,\"c\":2}"},
        {"{\"b\":${none?},\"c\":2}", "{\"c\":2}"},
        {"{\"b\":${none?}}", "{}"},
        {"{\"a\":1,\"b\":\"<${none?}>\",\"c\":\"<${number?}>\"}", "{\"a\":1,\"c\":\"<-42>\"}"},
        {"{\"a\":1,\"b\":${none?},\"c\":${none?}}", "{\"a\":1}"},
        {"{\"u\":{\"a\":1,\"b\":[{\"x\":1}],\"c\":${none?}},\"d\":${number?}}",
         "{\"u\":{\"a\":1,\"b\":[{\"x\":1}]},\"d\":-42}"},
        {"{\"u\":{\"a\":${none?}},\"d\":${claim.no?}}", "{\"u\":{}}"},
        {"{ \"a\":${none?} , \"b\":${none?}, \"c\" :1 }", "{ \"c\" :1 }"},
        {"{ \"a\":${number?} , \"b\":${none?}, \"c\" :1 }", "{ \"a\":-42 , \"c\" :1 }"},
        {"[{\"a\":${none?},\"b\":\"{${number?}\"},{\"c\":${none?},\"d\":${none?}},\"{\"]",
         "[{\"b\":\"{-42\"},{},\"{\"]"},
        {"{\"a\":${none?},\"u\":{\"b\":${none?},\"c\":${number?}},\"d\":${number?}}",
         "{\"u\":{\"c\":-42},\"d\":-42}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_text(filled(rows[i].source, TEMPLATE_JSON, JSON_STYLE_PLAIN), rows[i].wanted);
    }
}

static void members_that_are_not_named(void **state)
{
    (void)state;
    expect_text(filled("{\"id\":1,${claim.*}}", TEMPLATE_JSON, JSON_STYLE_ESCAPE_SLASH),
                "{\"id\":1,\"s\":\"x\\/y\",\"i\":7,\"b\":true,\"o\":{\"k\":null}}");
    expect_text(filled("{\"\\u0073\":1,\"id\":1,${claim.*}}", TEMPLATE_JSON, JSON_STYLE_PLAIN),
                "{\"\\u0073\":1,\"id\":1,\"i\":7,\"b\":true,\"o\":{\"k\":null}}");
    expect_text(filled("{\"s\":1,\"i\":1,\"b\":1,\"o\":${none?},${claim.*},\"id\":${none?}}",
                       TEMPLATE_JSON, JSON_STYLE_PLAIN),
                "{\"s\":1,\"i\":1,\"b\":1}");
}

/* Up to four members of every kind, in every order: one that is always there, one that may be left
 * out and is there, one that is not, and all that are not named. */
enum { ALWAYS, GIVEN, LEFT_OUT, THE_OTHERS, KINDS, MEMBERS_MAX = 4 };

static void add_member(char *to, const char *before, char name, const char *value)
{
    char member[64] = "";

    if (name != '\0') {
        (void)snprintf(member, sizeof member, "\"%c\":", name);
    }
    (void)snprintf(to + strlen(to), 64, "%s%s%s", before, member, value);
}

static void one_of_all_orders(unsigned order, size_t count, const char *space, const char *claims)
{
    static const char *const values[KINDS] = {"{}", "\"${number?}\"", "${none?}", "${claim.*}"};
    bool empty = strcmp(claims, "{}") == 0;
    char source[256] = "{", wanted[256] = "{";
    size_t others = 0;
    struct text out;
    json_t *object;

    for (size_t i = 0; i < count; i++, order /= KINDS) {
        char name = (char)('a' + i);
        const char *comma = wanted[1] != '\0' ? "," : "";

        strcat(source, i > 0 ? "," : "");
        switch (order % KINDS) {
        case ALWAYS:
            add_member(wanted, comma, name, "{}");
            break;
        case GIVEN:
            add_member(wanted, comma, name, "\"-42\"");
            break;
        case THE_OTHERS:
            name = '\0';
            others++;
            if (!empty) {
                add_member(wanted, comma, name, "\"y\":[],\"z\":{}");
            }
            break;
        }
        add_member(source, space, name, values[order % KINDS]);
    }
    if (others > 1) {
        return; /* no JSON: the same name twice */
    }
    strcat(wanted, "}");
    out = filled_from(claims, strcat(source, "}"), TEMPLATE_JSON, JSON_STYLE_PLAIN);
    object = json_in_object(arena, out, NULL);
    if (object == NULL || (space[0] == '\0' && !text_is(out, wanted)) ||
        !json_equal(object, json_in_object(arena, text_of(wanted), NULL))) {
        fail_msg("%s: %.*s instead of %s", source, TEXT_ARGS(out), wanted);
    }
}

static void members_in_all_orders(void **state)
{
    static const char *const spaces[] = {"", " "};
    static const char *const claims[] = {"{}", "{\"y\":[],\"z\":{}}"};
    unsigned orders = KINDS;

    (void)state;
    for (size_t count = 1; count <= MEMBERS_MAX; count++, orders *= KINDS) {
        for (unsigned order = 0; order < orders; order++) {
            for (size_t i = 0; i < 4; i++) {
                one_of_all_orders(order, count, spaces[i / 2], claims[i % 2]);
            }
            arena_reset(arena);
        }
    }
}

static void styles(void **state)
{
    (void)state;
    expect_text(filled("[\"/${hard}\"]", TEMPLATE_JSON, JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII),
                "[\"/a\\\"b\\\\c\\/d\\n\\u00e4\\u0001\"]");
}

static void plain_text(void **state)
{
    (void)state;
    expect_text(filled("{n=${number}}\n", TEMPLATE_PLAIN, 0), "{n=-42}\n");
    expect_text(filled("<${hard}>", TEMPLATE_PLAIN, 0), "<>");
    expect_text(filled("Bearer ${words}", TEMPLATE_PLAIN, 0), "Bearer read write");
}

/* ---- what is no template ---- */

static void complaints(void **state)
{
    static const struct {
        const char *source, *complaint;
    } rows[] = {
        {"{\"a\":${nome}}",
         "${nome}: unknown; write one of hard, words, number, none, ready, claim.NAME"},
        {"{\"a\":\"${hard\"}", "${hard\"}"},
        {"{\"a\":\"${hard\"", "without a closing brace"},
        {"{\"a\":\"${}\"}", "${}: unknown"},
        {"{\"${hard}\":1}", "${hard}: in the name of a member"},
        {"{${hard}:1}", "${hard}: in the name of a member"},
        {"{\"a\":1,${hard} :1}", "${hard}: in the name of a member"},
        {"{\"a\":\"\\q\"}", "not JSON"},
        {"{\"a\":\"\\u${number}\"}", "not JSON"},
        {"{\"a\":1", "not JSON"},
        {"{\"a\":1,\"a\":2}", "not JSON"},
        {"{\"a\":x${hard}}", "not JSON"},
        {"{\"a\":1}}", "not JSON"},
        {"{\"a\":1},\"b\":{}", "not JSON"},
        {"", "not JSON"},
        {"[${none?}]", "${none?}: only a member"},
        {"${none?}", "${none?}: only a member"},
        {"{\"a\":\"${none?}", "${none?}: only a member"},
        {"{\"a\":\"${hard}${none?}\"}", "${none}: beside one that can be left out"},
        {"{${claim.*}${claim.*}}", "${claim.*}: beside one that can be left out"},
        {"{\"a\":1,\"b\":{\"c\":1,${claim.*}}}", "${claim.*}: belongs among"},
        {"{\"a\":1,\"b\":\"${claim.*}\"}", "${claim.*}: belongs among"},
        {"[1,${claim.*}]", "${claim.*}: belongs among"},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "deeper than 16"},
    };
    static char large[TEMPLATE_SIZE_MAX + 2], many[TEMPLATE_PLACES_MAX * 10 + 32] = "[0";
    struct fault fault;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault = (struct fault){0};
        assert_null(
            template_compile(arena, text_of(rows[i].source), TEMPLATE_JSON, 0, &names, &fault));
        if (strstr(fault.text, rows[i].complaint) == NULL) {
            fail_msg("%s: %s", rows[i].source, fault.text);
        }
    }
    memset(large, ' ', sizeof large - 1);
    assert_null(template_compile(arena, text_of(large), TEMPLATE_PLAIN, 0, &names, &fault));
    assert_non_null(strstr(fault.text, "longer than 16384"));
    for (size_t i = 0; i <= TEMPLATE_PLACES_MAX; i++) {
        strcat(many, ",${none}");
    }
    assert_null(
        template_compile(arena, text_of(strcat(many, "]")), TEMPLATE_JSON, 0, &names, &fault));
    assert_non_null(strstr(fault.text, "more than 64 places"));
}

/* Wherever memory runs out there is a complaint, and never a template. */
static void memory(void **state)
{
    static const char source[] = "{\"a\":\"${hard}\",\"b\":${none?},${claim.*}}";

    (void)state;
    for (size_t limit = 0; limit < 64 * 1024; limit += 16) {
        struct arena *small = arena_open(limit);
        struct fault fault = {0};
        const struct template *template;

        assert_non_null(small);
        template = template_compile(small, text_of(source), TEMPLATE_JSON, 0, &names, &fault);
        assert_true((template != NULL) == (fault.text[0] == '\0'));
        arena_close(small);
    }
}

static void what_a_template_has(void **state)
{
    const struct template *template =
        template_compile(arena, TEXT("{\"a\":\"${hard}\",\"b\":\"x${number}\",\"c\":${claim.i?}}"),
                         TEMPLATE_JSON, 0, &names, NULL);

    (void)state;
    assert_non_null(template);
    assert_true(template_has(template, "hard") && template_has(template, "number"));
    assert_true(template_has(template, "claim.i") && !template_has(template, "claim.b"));
    assert_true(!template_has(template, "none") && !template_has(template, "nome"));
    assert_string_equal(template_member(template, "hard"), "a");
    assert_string_equal(template_member(template, "claim.i"), "c");
    assert_null(template_member(template, "number"));
    assert_int_equal(json_object_size(template_outline(template)), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_values),
        cmocka_unit_test(what_is_absent_takes_its_member_along),
        cmocka_unit_test(members_that_are_not_named),
        cmocka_unit_test(members_in_all_orders),
        cmocka_unit_test(styles),
        cmocka_unit_test(plain_text),
        cmocka_unit_test(complaints),
        cmocka_unit_test(memory),
        cmocka_unit_test(what_a_template_has),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
