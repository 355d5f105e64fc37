/* SPDX-License-Identifier: ISC */
/* confine.c: see confine.h. The filter is a list of what an intruder needs and we never do, not a
 * list of what we do: libc may need another system call with its next version, and refusing that
 * would log users out. Landlock's constants are those of linux/landlock.h, which is older in Debian
 * 12 than the kernels it runs on. */
#include "process/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_socket.h"
#include "process/harden.h"
#include "process/service.h"
#include "store/store.h"

static bool filter_calls(bool connects, bool asks_for_names);
static bool restrict_files(const struct config *config, const char *socket);
static bool has_filter(void);
static int landlock_version(void);

struct confinement confine_offer(void)
{
    return (struct confinement){.calls = has_filter(), .files = landlock_version() > 0};
}

const char *confine_words(struct confinement confinement)
{
    static const char *const words[2][2] = {{"nothing", "files"},
                                            {"system calls", "system calls and files"}};

    return words[confinement.calls][confinement.files];
}

struct confinement confine_process(const struct config *config, const char *socket)
{
    const char *wish = getenv("RETOKEN_CONFINE");
    struct confinement offer = confine_offer();
    struct confinement done = {false, false};
    bool wanted = wish == NULL || strcmp(wish, "off") != 0;
    bool files = wanted && config != NULL && (wish == NULL || strcmp(wish, "calls") != 0);

    if (config == NULL) {
        log_socket_reserve(); /* for the log that a configuration will name once it can be read */
    }
    if (!wanted || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return done;
    }
    bool has_server = config == NULL || store_url_directory(config->store) == NULL;
    if (config == NULL) {
        store_prepare();
    }
    done.files = files && offer.files && restrict_files(config, socket);
    done.calls = offer.calls && filter_calls(has_server || config->hook_count > 0, has_server);
    if (done.files != (files && offer.files) || done.calls != offer.calls) {
        log_line(LOG_LEVEL_ERROR, "confined: only %s, though this kernel has more: %s",
                 confine_words(done), strerror(errno));
    }
    return done;
}

/* ---- system calls ---- */

#if defined(__x86_64__)
#define ARCHITECTURE         AUDIT_ARCH_X86_64
#define RESULT_OF(registers) (registers).gregs[REG_RAX]
#elif defined(__aarch64__)
#define ARCHITECTURE         AUDIT_ARCH_AARCH64
#define RESULT_OF(registers) (registers).regs[0]
#endif

#ifdef ARCHITECTURE

/* Other programs, other processes, other machines; and what changes this system or its kernel. The
 * numbers of calls that this libc has not heard of yet are not here: 424 and up are the same on all
 * processors. */
static const uint32_t forbidden[] = {
    SYS_execve,
    SYS_execveat,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
    SYS_kill,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    424, /* pidfd_send_signal */
    434, /* pidfd_open */
    438, /* pidfd_getfd */
    440, /* process_madvise */
    SYS_bind,
    SYS_listen,
    425, /* io_uring_setup: performs calls past this filter */
    426, /* io_uring_enter */
    427, /* io_uring_register */
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setgroups,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_capset,
    SYS_personality,
    SYS_unshare,
    SYS_setns,
    SYS_chroot,
    SYS_pivot_root,
    SYS_mount,
    SYS_umount2,
    428, /* open_tree */
    429, /* move_mount */
    430, /* fsopen */
    431, /* fsconfig */
    432, /* fsmount */
    433, /* fspick */
    442, /* mount_setattr */
    SYS_mknodat,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    447, /* memfd_secret */
    SYS_userfaultfd,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_syslog,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
};
enum { FORBIDDEN = sizeof forbidden / sizeof forbidden[0] };

/* What asking a hook or a store's server takes, and nothing else does. */
static const uint32_t connecting[] = {SYS_socket, SYS_socketpair, SYS_connect};
enum { CONNECTING = sizeof connecting / sizeof connecting[0] };

/* A comparison and a verdict for each call, half as many where the search goes on, and the rest. */
enum {
    CALLS_MAX = FORBIDDEN + CONNECTING,
    LEAF = 3, /* calls that are compared one after the other */
    PROGRAM_MAX = 3 * CALLS_MAX + 40
};

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short size;
};

static void add(struct program *program, struct sock_filter instruction);
static void load(struct program *program, size_t offset);
static void end(struct program *program, uint32_t with);
static void forbid(struct program *program, uint32_t call, uint32_t with);
static size_t sorted_calls(bool connects, uint32_t calls[CALLS_MAX]);
static void search(struct program *program, const uint32_t *calls, size_t count);
static void forbid_argument(struct program *program, uint32_t call, size_t argument, uint32_t bit,
                            bool set, uint32_t with);
static void on_forbidden(int number, siginfo_t *about, void *context);

static bool has_filter(void)
{
    uint32_t action = SECCOMP_RET_TRAP;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* `connects`: to programs of this machine, as http/client.h makes sure, or to the store's server.
 * `asks_for_names`: of hosts; libc then tries a socket of the kernel's, and does without. */
static bool filter_calls(bool connects, bool asks_for_names)
{
    struct program program = {.size = 0};
    struct sigaction action = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO};
    uint32_t calls[CALLS_MAX];
    sigset_t blocked;

    load(&program, offsetof(struct seccomp_data, arch));
    add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    end(&program, SECCOMP_RET_ERRNO | EPERM);
    load(&program, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    /* the numbers of x32 */
    add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    end(&program, SECCOMP_RET_ERRNO | EPERM);
#endif
    /* its flags are in memory; libc then takes clone */
    add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 435, 0, 1));
    end(&program, SECCOMP_RET_ERRNO | ENOSYS);
    if (asks_for_names) {
        forbid(&program, SYS_bind, SECCOMP_RET_ERRNO | EPERM);
    }
    /* Threads yes, processes no. Without a signal: fork of glibc 2.41 blocks all of them, and the
     * kernel ends a process that blocks the one it is sent. */
    forbid_argument(&program, SYS_clone, 0, CLONE_THREAD, false, SECCOMP_RET_ERRNO | EPERM);
    /* no memory that is written becomes code */
    forbid_argument(&program, SYS_mmap, 2, PROT_EXEC, true, SECCOMP_RET_TRAP);
    forbid_argument(&program, SYS_mprotect, 2, PROT_EXEC, true, SECCOMP_RET_TRAP);
    forbid_argument(&program, SYS_pkey_mprotect, 2, PROT_EXEC, true, SECCOMP_RET_TRAP);
    search(&program, calls, sorted_calls(connects, calls));

    /* the kernel ends a process that blocks the signal, which a server may have left to us */
    struct sock_fprog filter = {.len = program.size, .filter = program.code};
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGSYS);
    return sigaction(SIGSYS, &action, NULL) == 0 &&
           pthread_sigmask(SIG_UNBLOCK, &blocked, NULL) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
}

static void add(struct program *program, struct sock_filter instruction)
{
    program->code[program->size++] = instruction;
}

static void load(struct program *program, size_t offset)
{
    add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void end(struct program *program, uint32_t with)
{
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, with));
}

static void forbid(struct program *program, uint32_t call, uint32_t with)
{
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    end(program, with);
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

/* How many. */
static size_t sorted_calls(bool connects, uint32_t calls[CALLS_MAX])
{
    size_t count = connects ? FORBIDDEN : CALLS_MAX;

    memcpy(calls, forbidden, sizeof forbidden);
    memcpy(calls + FORBIDDEN, connecting, (count - FORBIDDEN) * sizeof connecting[0]);
    qsort(calls, count, sizeof calls[0], by_number);
    return count;
}

/* Forbids these and allows all others, by halves: the kernel tries the program with every call
 * there is when it is installed, which each start of a process pays for. */
static void search(struct program *program, const uint32_t *calls, size_t count)
{
    size_t half = count / 2;
    size_t begun;

    if (count <= LEAF) {
        for (size_t i = 0; i < count; i++) {
            forbid(program, calls[i], SECCOMP_RET_TRAP);
        }
        end(program, SECCOMP_RET_ALLOW);
        return;
    }
    add(program,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, calls[half], 0, UINT8_MAX));
    begun = program->size;
    search(program, calls + half, count - half);
    program->code[begun - 1].jf = (uint8_t)(program->size - begun);
    search(program, calls, half);
}

_Static_assert(3 * (CALLS_MAX + 1) / 2 < UINT8_MAX, "a jump leads over the upper half");

/* Forbids the call where that bit of an argument is set, or where it is not. The bits here are in
 * the lower half of the argument, which comes first on both processors. */
static void forbid_argument(struct program *program, uint32_t call, size_t argument, uint32_t bit,
                            bool set, uint32_t with)
{
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4));
    load(program, offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t));
    add(program,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bit, set ? 0 : 1, set ? 1 : 0));
    end(program, with);
    end(program, SECCOMP_RET_ALLOW);
}

/* Comes from within the call, so it is no more asynchronous than the call itself. */
static void on_forbidden(int number, siginfo_t *about, void *context)
{
    static atomic_bool told;
    ucontext_t *interrupted = context;
    int error = errno;

    (void)number;
    RESULT_OF(interrupted->uc_mcontext) = -EPERM;
    if (!atomic_exchange(&told, true)) {
        log_line(LOG_LEVEL_ERROR,
                 "confined: the process tried system call %d, which it never needs, and was "
                 "refused; a library is at fault, or an attack; more of this is not logged",
                 about->si_syscall);
    }
    errno = error;
}

#else

static bool has_filter(void)
{
    return false;
}

static bool filter_calls(bool connects, bool asks_for_names)
{
    (void)connects;
    (void)asks_for_names;
    return false;
}

#endif

/* ---- files ---- */

enum { LANDLOCK_CREATE_RULESET = 444, LANDLOCK_ADD_RULE = 445, LANDLOCK_RESTRICT_SELF = 446 };
enum { LANDLOCK_ASK_VERSION = 1, LANDLOCK_PATH_BENEATH = 1 };

#define FILE_WRITE    UINT64_C(0x0002)
#define FILE_READ     UINT64_C(0x0004)
#define FOLDER_READ   UINT64_C(0x0008)
#define FILE_REMOVE   UINT64_C(0x0020)
#define FILE_MAKE     UINT64_C(0x0100)
#define FILE_TRUNCATE UINT64_C(0x4000) /* from version 3 */

/* All that a version can restrict. */
static uint64_t rights_of(int version)
{
    return version >= 5 ? 0xffff : version >= 3 ? 0x7fff : version == 2 ? 0x3fff : 0x1fff;
}

static bool allow(int rules, const char *path, uint64_t rights);
static bool allow_secret(int rules, const char *path); /* and other files that are read again */
static bool allow_store_files(int rules, const struct config *config);
static bool allow_reload(int rules, const struct config *config);
static bool folder_of(const char *path, char folder[PATH_MAX]);

static int landlock_version(void)
{
    return (int)syscall(LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_ASK_VERSION);
}

static bool restrict_files(const struct config *config, const char *socket)
{
    uint64_t known = rights_of(landlock_version());
    int rules = (int)syscall(LANDLOCK_CREATE_RULESET, &known, sizeof known, 0);
    struct clock clock = clock_system();
    char folder[PATH_MAX];

    if (rules < 0) {
        return false;
    }
    clock_moment(&clock); /* reads the boot's number from /proc, once */
    const char *directory = store_url_directory(config->store);
    bool allowed =
        (directory == NULL || allow(rules, directory,
                                    known & (FILE_READ | FILE_WRITE | FOLDER_READ | FILE_MAKE |
                                             FILE_REMOVE | FILE_TRUNCATE))) &&
        allow_secret(rules, config->secret_file) && allow_store_files(rules, config) &&
        allow_reload(rules, config) &&
        (log_socket_is_one(text_of(config->log_target)) || config->log_target[0] == '\0' ||
         !folder_of(config->log_target, folder) || allow(rules, folder, FILE_WRITE | FILE_MAKE)) &&
        (socket == NULL || !folder_of(socket, folder) || allow(rules, folder, FILE_REMOVE));
#ifdef HARDEN_SANITIZED
    /* a report names lines of the sources */
    allowed = allowed && allow(rules, "/", FILE_READ | FOLDER_READ);
#endif
    bool done = allowed && syscall(LANDLOCK_RESTRICT_SELF, rules, 0) == 0;
    close(rules);
    return done;
}

/* What is beneath the folder. One that is not there stays out of reach. */
static bool allow(int rules, const char *path, uint64_t rights)
{
    struct {
        uint64_t rights;
        int32_t folder;
    } __attribute__((packed)) rule = {.rights = rights};
    int folder = open(path, O_PATH | O_CLOEXEC);

    if (folder < 0) {
        return true;
    }
    rule.folder = folder;
    bool allowed = syscall(LANDLOCK_ADD_RULE, rules, LANDLOCK_PATH_BENEATH, &rule, 0) == 0;
    close(folder);
    return allowed;
}

/* Its own folder, and that of the file that a symbolic link leads to. */
static bool allow_secret(int rules, const char *path)
{
    char folder[PATH_MAX];
    char target[PATH_MAX];

    return (!folder_of(path, folder) || allow(rules, folder, FILE_READ)) &&
           (readlink(path, target, sizeof target) < 0 || realpath(path, target) == NULL ||
            !folder_of(target, folder) || allow(rules, folder, FILE_READ));
}

/* What connecting to the store's server takes, each time. */
static bool allow_store_files(int rules, const struct config *config)
{
    const struct store_settings settings = {.url = config->store,
                                            .password_file = config->store_password_file};
    char path[STORE_URL_MAX];
    bool allowed = true;

    for (size_t i = 0; allowed && store_file(&settings, i, path); i++) {
        allowed = path[0] == '\0' || allow_secret(rules, path);
    }
    return allowed;
}

/* The configuration, which editors replace, and the file of the counters of new mounts. */
static bool allow_reload(int rules, const struct config *config)
{
    char path[CONFIG_PATH_MAX];

    return (config->file[0] == '\0' || allow_secret(rules, config->file)) &&
           (!config->metrics || !service_metrics_path(config, path) ||
            allow(rules, path, FILE_READ | FILE_WRITE));
}

/* False when it is too long. */
static bool folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    struct text part = slash == NULL   ? TEXT(".")
                       : slash == path ? TEXT("/")
                                       : text_cut(text_of(path), (size_t)(slash - path));

    return text_copy(part, folder, PATH_MAX);
}
