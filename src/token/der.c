/* der.c: tags and lengths; see der.h. */
#include "token/der.h"

enum { LENGTH_IN_NEXT_BYTE = 0x81, LENGTH_IN_TWO_BYTES = 0x82 };

static bool take_byte(struct der *from, uint8_t *byte)
{
    if (from->left == 0) {
        return false;
    }
    *byte = *from->at++;
    from->left--;
    return true;
}

/* Below 0x80 a length is its own byte. */
static bool take_length(struct der *from, size_t *length)
{
    uint8_t first, high = 0, low;

    if (!take_byte(from, &first)) {
        return false;
    } else if (first < 0x80) {
        *length = first;
        return true;
    } else if (first == LENGTH_IN_NEXT_BYTE) {
        *length = take_byte(from, &low) ? low : 0;
        return *length >= 0x80;
    } else if (first != LENGTH_IN_TWO_BYTES || !take_byte(from, &high) || !take_byte(from, &low)) {
        return false;
    }
    *length = (size_t)high << 8 | low;
    return *length >= 0x100;
}

bool der_take(struct der *from, enum der_tag tag, struct der *content)
{
    uint8_t found;
    size_t length;

    if (!take_byte(from, &found) || found != tag || !take_length(from, &length) ||
        length > from->left) {
        return false;
    }
    *content = (struct der){from->at, length};
    from->at += length;
    from->left -= length;
    return true;
}
