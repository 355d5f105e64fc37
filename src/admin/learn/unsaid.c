/* SPDX-License-Identifier: ISC */
/* unsaid.c: what a recording has and no file of a dialect can say, as sentences with the
 * place in the recording. Knows how a place is named so that it gives nobody away. */
#include <stdarg.h>
#include <stdio.h>

#include "admin/learn/side.h"

/* Something of one user, or a token? */
static bool is_own(struct text segment)
{
    enum { VERSION = 1 }; /* as in /2/token */
    size_t digits = 0;

    while (digits < segment.size && segment.data[digits] >= '0' && segment.data[digits] <= '9') {
        digits++;
    }
    return (digits == segment.size && digits > VERSION) || text_find(segment, '@') < segment.size ||
           text_find(segment, '%') < segment.size || own_is_unique(segment);
}

bool learn_has_own_path(struct text path)
{
    bool found = false;

    while (path.size > 0) {
        struct text segment = text_split(&path, '/');

        found = found || is_own(segment);
    }
    return found;
}

/* "entry 5, POST /users/…/logout: " */
static void add_place(struct buffer *out, const struct learn_exchange *exchange)
{
    struct text path = text_from(exchange->request.path, 1);

    if (exchange->entry > 0) {
        buffer_addf(out, "entry %zu, ", exchange->entry);
    }
    buffer_addf(out, "%.*s ", TEXT_ARGS(text_cut(exchange->request.is.method_name, 16)));
    do {
        struct text segment = text_split(&path, '/');
        bool shown = !is_own(segment) && text_is_visible_ascii(segment);

        buffer_add_c(out, "/");
        if (shown) {
            buffer_add(out, text_cut(segment, 60));
        } else {
            buffer_add_c(out, segment.size > 0 ? "…" : "");
        }
    } while (path.size > 0 && out->size < 4096);
    buffer_add_c(out, ": ");
}

static void __attribute__((format(printf, 3, 0)))
add(struct buffer *out, const struct learn_exchange *exchange, const char *format,
    va_list arguments)
{
    char line[400];

    (void)vsnprintf(line, sizeof line, format, arguments);
    add_place(out, exchange);
    buffer_add_c(out, line);
    buffer_add_c(out, "\n");
}

void learn_unsaid(struct buffer *unsaid, const struct learn_exchange *exchange, const char *format,
                  ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(unsaid, exchange, format, arguments);
    va_end(arguments);
}

void learn_cannot_say(struct learning *learning, const struct learn_exchange *exchange,
                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(&learning->input->unsaid, exchange, format, arguments);
    va_end(arguments);
    buffer_add_c(learning->out, "# cannot be said: ");
    va_start(arguments, format);
    add(learning->out, exchange, format, arguments);
    va_end(arguments);
}
