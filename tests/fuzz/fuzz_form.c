/* SPDX-License-Identifier: ISC */
/* fuzz_form.c: any bytes as application/x-www-form-urlencoded. Properties: what is let through is
 * UTF-8 without control bytes where none may be; encoded again and decoded again it is the same;
 * form_get agrees with the fields; a small arena makes it fail and nothing else. */
#include "base/buffer.h"
#include "base/form.h"
#include "fuzz/fuzz.h"

/* Every byte as %XX. */
static void encode(struct buffer *buffer, struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        buffer_addf(buffer, "%%%02X", (unsigned char)t.data[i]);
    }
}

static struct text encode_form(struct arena *arena, const struct form *form)
{
    struct buffer buffer;
    struct text encoded;

    buffer_start(&buffer, arena, 64);
    for (size_t i = 0; i < form->count; i++) {
        encode(&buffer, form->fields[i].name);
        buffer_add_char(&buffer, '=');
        encode(&buffer, form->fields[i].value);
        buffer_add_char(&buffer, '&');
    }
    FUZZ_ASSERT(buffer_finish(&buffer, &encoded));
    return encoded;
}

static void check_field(const struct form *form, size_t i)
{
    const struct form_field *field = &form->fields[i];
    size_t same = 0;
    struct text value;

    FUZZ_ASSERT(!text_has_control(field->name) && text_is_utf8(field->name));
    FUZZ_ASSERT(text_is_utf8(field->value) && text_find(field->value, '\0') == field->value.size);
    for (size_t j = 0; j < form->count; j++) {
        same += text_equal(form->fields[j].name, field->name);
    }
    /* no control byte in it, so it is a C string behind which the arena has zeros */
    enum form_find found = form_get_even_empty(form, field->name.data, &value);
    FUZZ_ASSERT(found == (same > 1 ? FORM_REPEATED : field->bad ? FORM_BAD : FORM_ONE));
    FUZZ_ASSERT(!field->bad || field->value.size == 0);
    FUZZ_ASSERT(found != FORM_ONE || text_equal(value, field->value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena(1 << 20);
    struct form form, again;
    enum form_result result = form_parse(arena, fuzz_text(data, size), &form);

    if (result == FORM_OK) {
        FUZZ_ASSERT(form.count <= FORM_FIELDS_MAX);
        FUZZ_ASSERT(form_parse(arena, encode_form(arena, &form), &again) == FORM_OK);
        FUZZ_ASSERT(again.count == form.count);
        for (size_t i = 0; i < form.count; i++) {
            check_field(&form, i);
            FUZZ_ASSERT(text_equal(form.fields[i].name, again.fields[i].name));
            FUZZ_ASSERT(text_equal(form.fields[i].value, again.fields[i].value));
        }
    }
    uint64_t random = fuzz_hash(fuzz_text(data, size));
    enum form_result small =
        form_parse(fuzz_arena(fuzz_random(&random, 4096)), fuzz_text(data, size), &again);
    FUZZ_ASSERT(small == result || small == FORM_NO_MEMORY);
    return 0;
}
