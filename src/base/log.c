/* SPDX-License-Identifier: ISC */
/* log.c: writes whole lines to one descriptor, or hands them to log_socket.c. Knows where lines go
 * and how bytes are made safe; does not know what they tell, and is never handed a token or a
 * secret. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_socket.h"

enum { LINE_SIZE = 2048, PREFIX_SIZE = 96 };

/* Globals that change, of which the tree has hardly any: any thread must be able to log. */
static atomic_int log_descriptor = STDERR_FILENO;
static atomic_int log_threshold = LOG_LEVEL_NOTICE;
static atomic_bool log_to_daemon;
static atomic_uint lost; /* lines that it did not take */

/* The file, to find out whether it still has its name. Under the lock, but for `looked_s`. */
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;
static char file_path[4096]; /* "": no file */
static dev_t file_device;
static ino_t file_inode;
static bool file_lost; /* it could not be opened again, and a line has said so */
static _Atomic int64_t looked_s;

/* Lines in that second. */
static _Atomic int64_t limited_s;
static atomic_uint limited; /* lines that strangers caused */

static int64_t now_ms(void);
static bool open_file(const char *path, int *descriptor, struct stat *about, const char **why);
static bool has_its_name(void);
static void open_again(void);
static void look_again(int64_t now_s);

static const char *level_word(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_NOTICE:
        return "notice";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "error";
}

/* Once lines go to a file, its descriptor is never closed, only pointed at another file: a thread
 * about to write would otherwise write into the next file that gets the number. */
static bool replace(int descriptor)
{
    int current = atomic_load(&log_descriptor);

    if (current == STDERR_FILENO) {
        atomic_store(&log_descriptor, descriptor);
        return true;
    }
    bool replaced = dup3(descriptor, current, O_CLOEXEC) >= 0;
    if (descriptor != STDERR_FILENO) {
        close(descriptor);
    }
    return replaced;
}

bool log_open(const char *target, enum log_level level, struct fault *fault)
{
    bool to_daemon = log_socket_is_one(text_of(target));
    const char *file = to_daemon ? "" : target;
    int descriptor = STDERR_FILENO;
    struct stat about = {0};
    const char *why = NULL;

    pthread_mutex_lock(&file_lock);
    if (strlen(file) >= sizeof file_path) {
        why = strerror(ENAMETOOLONG);
    } else if (to_daemon && !log_socket_open(text_of(target))) {
        why = strerror(errno);
    } else if (file[0] == '\0' || open_file(file, &descriptor, &about, &why)) {
        if (replace(descriptor)) {
            text_copy(text_of(file), file_path, sizeof file_path);
            file_device = about.st_dev;
            file_inode = about.st_ino;
            file_lost = false;
            atomic_store(&log_threshold, (int)level);
            atomic_store(&log_to_daemon, to_daemon);
        } else {
            why = strerror(errno);
        }
    }
    pthread_mutex_unlock(&file_lock);
    if (why != NULL) {
        fault_set(fault, "log %s: %s", target, why);
    }
    return why == NULL;
}

void log_set_level(enum log_level level)
{
    atomic_store(&log_threshold, (int)level);
}

/* The log may be in a folder that others can write to: a link they make there must not lead us to a
 * file of ours, and a file of theirs is one that they read. A FIFO without a reader fails. */
static bool open_file(const char *path, int *descriptor, struct stat *about, const char **why)
{
    int opened =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK,
             S_IRUSR | S_IWUSR);

    if (opened < 0) {
        *why = errno == ELOOP ? "it is a symbolic link; write the path of the file itself"
                              : strerror(errno);
        return false;
    } else if (fstat(opened, about) != 0) {
        *why = strerror(errno);
    } else if (about->st_uid != geteuid() && about->st_uid != 0) {
        *why = "it belongs to another user; remove it, or choose another file";
    } else {
        *descriptor = opened;
        return true;
    }
    close(opened);
    return false;
}

/* ---- a file that is rotated ---- */

void log_reopen(void)
{
    pthread_mutex_lock(&file_lock);
    open_again();
    pthread_mutex_unlock(&file_lock);
}

/* One thread looks, at most once a second. */
static void look_again(int64_t now_s)
{
    int64_t before_s = atomic_load(&looked_s);

    if (before_s != now_s && atomic_compare_exchange_strong(&looked_s, &before_s, now_s) &&
        pthread_mutex_trylock(&file_lock) == 0) {
        if (!has_its_name()) {
            open_again();
        }
        pthread_mutex_unlock(&file_lock);
    }
}

/* Under the lock. */
static bool has_its_name(void)
{
    struct stat about;

    return file_path[0] == '\0' || (lstat(file_path, &about) == 0 && about.st_dev == file_device &&
                                    about.st_ino == file_inode);
}

/* Under the lock. */
static void open_again(void)
{
    int descriptor;
    struct stat about;
    const char *why = NULL;

    if (file_path[0] == '\0') {
        return;
    } else if (open_file(file_path, &descriptor, &about, &why) && replace(descriptor)) {
        file_device = about.st_dev;
        file_inode = about.st_ino;
        file_lost = false;
    } else if (!file_lost) {
        file_lost = true;
        log_line(LOG_LEVEL_ERROR,
                 "log %s cannot be opened again, this goes on in the former one: %s", file_path,
                 why != NULL ? why : strerror(errno));
    }
}

static int64_t now_ms(void)
{
    struct clock clock = clock_system();

    return clock_now_ms(&clock);
}

/* Writes one character: `c` itself, or \xNN. Returns its size; 0 when it does not fit. */
static size_t put_safe(unsigned char c, bool bare, char *out, size_t room)
{
    static const char digits[] = "0123456789abcdef";

    if (bare && room >= 1) {
        out[0] = (char)c;
        return 1;
    } else if (bare || room < 4) {
        return 0;
    }
    memcpy(out, "\\x", 2);
    out[2] = digits[c >> 4];
    out[3] = digits[c & 0xf];
    return 4;
}

/* ---- the prefix of every line ---- */

/* The parts that stay the same for a second; each thread has its own. */
struct prefix {
    int64_t now_s;
    pid_t process;       /* 0: not made yet */
    char time[32];       /* "2026-01-31T12:00:00" */
    char process_id[24]; /* " [4711] " */
};

static const struct prefix *prefix_at(int64_t now_s)
{
    static _Thread_local struct prefix prefix;
    pid_t process = getpid();
    time_t at = (time_t)now_s;
    struct tm tm;

    if (prefix.process == process && prefix.now_s == now_s) {
        return &prefix;
    }
    prefix = (struct prefix){.now_s = now_s, .process = process};
    if (gmtime_r(&at, &tm) != NULL) {
        strftime(prefix.time, sizeof prefix.time, "%Y-%m-%dT%H:%M:%S", &tm);
    }
    snprintf(prefix.process_id, sizeof prefix.process_id, " [%ld] ", (long)process);
    return &prefix;
}

/* Copies without the NUL; returns the end. */
static char *append(char *out, const char *c_string)
{
    size_t size = strlen(c_string);

    memcpy(out, c_string, size);
    return out + size;
}

/* "2026-01-31T12:00:00.123Z error [4711] "; always less than PREFIX_SIZE. */
static size_t put_prefix(enum log_level level, int64_t at_ms, char *out)
{
    const struct prefix *prefix = prefix_at(at_ms / CLOCK_SECOND);
    unsigned ms = (unsigned)(at_ms % CLOCK_SECOND);
    char fraction[] = ".000Z ";
    char *end;

    fraction[1] = (char)('0' + ms / 100 % 10);
    fraction[2] = (char)('0' + ms / 10 % 10);
    fraction[3] = (char)('0' + ms % 10);
    end = append(out, prefix->time);
    end = append(end, fraction);
    end = append(end, level_word(level));
    end = append(end, prefix->process_id);
    return (size_t)(end - out);
}

/* ---- lines ---- */

static bool is_printable(unsigned char c)
{
    return c >= 0x20 && c < 0x7f;
}

/* Makes the `size` bytes at `text` safe in place, which they nearly always are. Returns their new
 * size, at most `room`. */
static size_t make_safe(char *text, size_t size, size_t room)
{
    char raw[LINE_SIZE];
    size_t made = text_plain_run((struct text){text, size}, "");
    size_t rest = size - made;

    memcpy(raw, text + made, rest);
    for (size_t i = 0; i < rest; i++) {
        unsigned char c = (unsigned char)raw[i];
        size_t put = put_safe(c, is_printable(c), text + made, room - made);
        if (put == 0) {
            break;
        }
        made += put;
    }
    return made;
}

static size_t put_word(enum log_level level, char *out);
static void hand_over(enum log_level level, char *line, size_t size);
static void put_line(int descriptor, char *line, size_t size);

void log_line(enum log_level level, const char *format, ...)
{
    char line[PREFIX_SIZE + LINE_SIZE];
    va_list arguments;

    if ((int)level > atomic_load(&log_threshold)) {
        return;
    }
    int64_t at_ms = now_ms();
    bool to_daemon = atomic_load(&log_to_daemon);
    look_again(at_ms / CLOCK_SECOND);
    size_t prefix = to_daemon ? put_word(level, line) : put_prefix(level, at_ms, line);
    va_start(arguments, format);
    int said = vsnprintf(line + prefix, LINE_SIZE, format, arguments);
    va_end(arguments);
    size_t size = said < 0 ? 0 : (size_t)said < LINE_SIZE ? (size_t)said : LINE_SIZE - 1;
    size = prefix + make_safe(line + prefix, size, sizeof line - 1 - prefix);
    if (to_daemon) {
        hand_over(level, line, size);
    } else {
        put_line(atomic_load(&log_descriptor), line, size);
    }
}

/* "notice "; the daemon knows time and process. */
static size_t put_word(enum log_level level, char *out)
{
    char *end = append(out, level_word(level));

    return (size_t)(append(end, " ") - out);
}

static void hand_over(enum log_level level, char *line, size_t size)
{
    unsigned missing;

    switch (log_socket_send(level, (struct text){line, size})) {
    case LOG_SOCKET_SENT:
        missing = atomic_exchange(&lost, 0);
        if (missing > 0) {
            log_line(LOG_LEVEL_ERROR, "lost: %u lines, for which the log daemon was too slow",
                     missing);
        }
        return;
    case LOG_SOCKET_FULL:
        atomic_fetch_add(&lost, 1);
        return;
    case LOG_SOCKET_ABSENT:
        put_line(STDERR_FILENO, line, size);
        return;
    }
}

/* `line` has room for the newline. */
static void put_line(int descriptor, char *line, size_t size)
{
    line[size++] = '\n';
    /* A log that cannot be written is no reason to refuse a request. */
    if (write(descriptor, line, size) < 0) {
        return;
    }
}

/* ---- lines that strangers cause ---- */

bool log_admits(void)
{
    log_settle();
    return atomic_fetch_add(&limited, 1) < LOG_LIMIT;
}

/* Begins a new second. Lines of two threads at its turn may be counted into either. */
void log_settle(void)
{
    int64_t now_s = now_ms() / CLOCK_SECOND;
    int64_t before_s = atomic_load(&limited_s);

    if (before_s != now_s && atomic_compare_exchange_strong(&limited_s, &before_s, now_s)) {
        unsigned count = atomic_exchange(&limited, 0);
        if (count > LOG_LIMIT) {
            log_line(LOG_LEVEL_NOTICE,
                     "many: %u refusals without a session in a second, %u not shown", count,
                     count - LOG_LIMIT);
        }
    }
}

const char *log_safe(struct text t, char *out, size_t room)
{
    size_t size = 0;

    if (room == 0) {
        return "";
    }
    for (size_t i = 0; i < t.size; i++) {
        unsigned char byte = (unsigned char)t.data[i];
        size_t put = put_safe(byte, byte > 0x20 && byte < 0x7f, out + size, room - 1 - size);
        if (put == 0) {
            break;
        }
        size += put;
    }
    out[size] = '\0';
    return out;
}
