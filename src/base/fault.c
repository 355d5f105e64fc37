/* SPDX-License-Identifier: ISC */
/* fault.c: formats the text of a fault. Knows lengths and control bytes; does not know what broke,
 * and never logs. */
#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ROOM = sizeof(((struct fault *)NULL)->text) };

/* A fault becomes one line of a log: nothing in it may end the line or control a terminal. */
static void defuse(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

/* Formats into a local copy, because an argument may be the text that is replaced. */
void fault_set(struct fault *fault, const char *format, ...)
{
    char text[ROOM];
    va_list arguments;

    if (fault == NULL) {
        return;
    }
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0) {
        snprintf(text, sizeof text, "a fault that could not be put into words");
    }
    va_end(arguments);
    defuse(text);
    memcpy(fault->text, text, sizeof text);
}

void fault_prefix(struct fault *fault, const char *format, ...)
{
    char context[ROOM];
    va_list arguments;

    if (fault == NULL) {
        return;
    }
    va_start(arguments, format);
    if (vsnprintf(context, sizeof context, format, arguments) < 0) {
        context[0] = '\0';
    }
    va_end(arguments);
    fault_set(fault, "%s: %s", context, fault->text);
}
