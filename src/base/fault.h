/* fault.h: what broke here, in words for the operator.
 * A fault is never a refusal: it travels up as "it failed" plus this text and is logged once, at
 * the top. Knows nothing but a text; never holds a secret. */
#ifndef RETOKEN_BASE_FAULT_H
#define RETOKEN_BASE_FAULT_H

struct fault {
    char text[320]; /* what, where and what would be right; "" = nothing broke */
};

/* Sets the text (cut to fit). fault may be NULL. Control bytes in the result become '?'. */
void fault_set(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts a context in front of the text: "CONTEXT: TEXT". fault may be NULL. */
void fault_prefix(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
