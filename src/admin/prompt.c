/* SPDX-License-Identifier: ISC */
/* prompt.c: secrets from a terminal, standard input or a file. Everything it read beyond what it
 * gives back is wiped. */
#include "admin/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"

static bool read_path(const char *path, bool line, char *out, size_t room, size_t *size,
                      struct fault *fault);
static int open_path(const char *path, struct fault *fault);
static bool read_fd(int fd, bool line, char *out, size_t room, size_t *size);
static const char *name_of(const char *path);
static bool prompt_once(int tty, const char *prompt, const char *what, char *out, size_t room,
                        size_t *size);
static sigset_t ending_signals(void);
static bool read_terminal(int tty, int signals, char *out, size_t room, size_t *size);

/* ---- files and standard input ---- */

bool prompt_file(const char *path, char *out, size_t room, size_t *size, struct fault *fault)
{
    if (!read_path(path, false, out, room, size, fault)) {
        return false;
    }
    out[*size] = '\0';
    return true;
}

bool prompt_line(const char *path, char *out, size_t room, size_t *size, struct fault *fault)
{
    if (!read_path(path, true, out, room, size, fault)) {
        return false;
    }
    while (*size > 0 && (out[*size - 1] == '\n' || out[*size - 1] == '\r')) {
        out[--*size] = '\0';
    }
    if (*size == 0 || memchr(out, '\0', *size) != NULL) {
        fault_set(fault, "%s: its first line is %s", name_of(path),
                  *size == 0 ? "empty" : "not a text: it holds a NUL byte");
        secret_wipe(out, room);
        return false;
    }
    out[*size] = '\0';
    return true;
}

static bool read_path(const char *path, bool line, char *out, size_t room, size_t *size,
                      struct fault *fault)
{
    int fd = open_path(path, fault);

    if (fd < 0) {
        return false;
    }
    bool whole = read_fd(fd, line, out, room, size);
    int error = errno;
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    if (!whole && error == EFBIG) {
        fault_set(fault, "%s: more than %zu bytes", name_of(path), room - 1);
    } else if (!whole) {
        fault_set(fault, "%s: %s", name_of(path), strerror(error));
    }
    if (!whole) {
        secret_wipe(out, room);
        return false;
    }
    return true;
}

static int open_path(const char *path, struct fault *fault)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        fault_set(fault, "%s: %s", path, strerror(errno));
    }
    return fd;
}

/* Reads to the end, or to the first line end when `line`. */
static bool read_fd(int fd, bool line, char *out, size_t room, size_t *size)
{
    *size = 0;
    for (;;) {
        /* a line is read byte by byte: what follows it on standard input is not ours */
        ssize_t got = read(fd, out + *size, line ? 1 : room - *size);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return false;
        }
        *size += (size_t)got;
        if (got == 0 || (line && out[*size - 1] == '\n')) {
            return true;
        }
        if (*size == room) {
            errno = EFBIG;
            return false;
        }
    }
}

static const char *name_of(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* ---- the terminal ---- */

bool prompt_is_terminal(void)
{
    return isatty(STDIN_FILENO) == 1;
}

bool prompt_twice(const char *what, char *out, size_t room, size_t *size, struct fault *fault)
{
    char again[1024];
    size_t again_size = 0;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (tty < 0) {
        fault_set(fault,
                  "no terminal to ask for the %s: give --password-file FILE, or it on "
                  "standard input",
                  what);
        return false;
    }
    bool given = false;
    *size = 0;
    if (room > sizeof again) {
        room = sizeof again;
    }
    if (!prompt_once(tty, "New", what, out, room, size)) {
        fault_set(fault, "the terminal gave no %s", what);
    } else if (*size == 0) {
        fault_set(fault, "the %s is empty", what);
    } else if (!prompt_once(tty, "Repeat the", what, again, sizeof again, &again_size)) {
        fault_set(fault, "the terminal gave no %s", what);
    } else if (!secret_text_equal((struct text){out, *size}, (struct text){again, again_size})) {
        fault_set(fault, "the two are not the same");
    } else {
        out[*size] = '\0';
        given = true;
    }
    close(tty);
    secret_wipe(again, sizeof again);
    if (!given) {
        secret_wipe(out, room);
    }
    return given;
}

static bool prompt_once(int tty, const char *prompt, const char *what, char *out, size_t room,
                        size_t *size)
{
    struct termios before;

    if (tcgetattr(tty, &before) != 0) {
        return false;
    }
    struct termios quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    quiet.c_lflag |= ICANON;

    sigset_t ending = ending_signals();
    sigset_t old;
    sigprocmask(SIG_BLOCK, &ending, &old);
    int signals = signalfd(-1, &ending, SFD_CLOEXEC);
    bool answered = signals >= 0 && tcsetattr(tty, TCSAFLUSH, &quiet) == 0;
    if (answered) {
        dprintf(tty, "%s %s: ", prompt, what);
        answered = read_terminal(tty, signals, out, room, size);
        tcsetattr(tty, TCSAFLUSH, &before);
        dprintf(tty, "\n");
    }
    if (signals >= 0) {
        close(signals);
    }
    sigprocmask(SIG_SETMASK, &old, NULL); /* a waiting signal acts here */
    if (!answered) {
        return false;
    }
    while (*size > 0 && (out[*size - 1] == '\n' || out[*size - 1] == '\r')) {
        out[--*size] = '\0';
    }
    return true;
}

/* The signals that could end or stop us while echo is off. They are blocked meanwhile and seen
 * through a descriptor: once one waits, the terminal is put right first and the signal taken then.
 */
static sigset_t ending_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGTSTP);
    return set;
}

/* One line from the terminal, or false when a signal came first. */
static bool read_terminal(int tty, int signals, char *out, size_t room, size_t *size)
{
    struct pollfd waits[] = {{.fd = tty, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

    if (poll(waits, 2, -1) < 0 || (waits[1].revents & POLLIN) != 0) {
        return false;
    }
    return read_fd(tty, true, out, room, size);
}
