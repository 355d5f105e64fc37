/* SPDX-License-Identifier: ISC */
/* fault.h: what broke here, in words for the operator. A fault is not a refusal: the caller learns
 * that it failed, and passes this text up to the top, where it is logged once. Never holds a
 * secret.
 */
#ifndef RETOKEN_BASE_FAULT_H
#define RETOKEN_BASE_FAULT_H

struct fault {
    char text[320]; /* what broke, where, and what would be right; "": nothing */
};

/* Sets the text (cut to fit). fault may be NULL. Control bytes in the result become '?'. */
void fault_set(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prefixes the text with a context: "CONTEXT: TEXT". fault may be NULL. */
void fault_prefix(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
