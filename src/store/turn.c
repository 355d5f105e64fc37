/* turn.c: see turn.h. Open-file-description locks (fcntl(2)): they belong to the open file, so no
 * other open and close in the process drops them, and they go when the process goes. */
#include "store/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool turn_open(struct turn *turn, int directory)
{
    turn->file = openat(directory, "turn.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return turn->file >= 0;
}

void turn_close(struct turn *turn)
{
    if (turn->file >= 0) {
        close(turn->file);
        turn->file = -1;
    }
}

/* A lock that cannot be had for another reason than a signal (ENOLCK) costs order, not safety:
 * LMDB's own mutex still stands behind it. */
static void change(const struct turn *turn, enum turn_of of, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = of, .l_len = 1};

    while (turn->file >= 0 && fcntl(turn->file, F_OFD_SETLKW, &lock) != 0 && errno == EINTR) {
    }
}

void turn_take(const struct turn *turn, enum turn_of of)
{
    change(turn, of, F_WRLCK);
}

void turn_give(const struct turn *turn, enum turn_of of)
{
    change(turn, of, F_UNLCK);
}
