/* der.h: elements of DER (X.690), in the one spelling that each has. Knows tags and lengths; does
 * not know what an element means. Private to token/. */
#ifndef RETOKEN_TOKEN_DER_H
#define RETOKEN_TOKEN_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With the class and the bit of what holds other elements. */
enum der_tag {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT_1 = 0xa1
};

/* What is still to be read, or what one element holds; borrowed. */
struct der {
    const uint8_t *at;
    size_t left;
};

/* Takes the next element off `from`. False, with both in any state, unless it is of that tag,
 * whole, and its length is of at most 65,535 and spelled as shortly as possible. */
bool der_take(struct der *from, enum der_tag tag, struct der *content);

#endif
