/* SPDX-License-Identifier: ISC */
/* test_confine.c: what a confined process can no longer do, and what it still can. Each case is a
 * child process, because nothing undoes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "process/confine.h"
#include "process/harden.h"

static char directory[] = "/tmp/retoken-confine.XXXXXX";
static struct config config;

static const char *in(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void write_file(const char *path)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_int_equal(fclose(out), 0);
}

static int make_places(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    for (const char *const *name = (const char *const[]){"store", "log", "keys", "other", NULL};
         *name != NULL; name++) {
        assert_int_equal(mkdir(in(*name), 0700), 0);
    }
    snprintf(config.store, sizeof config.store, "lmdb:%s/store", directory);
    snprintf(config.log_target, sizeof config.log_target, "%s/log/log", directory);
    snprintf(config.secret_file, sizeof config.secret_file, "%s/keys/secret", directory);
    write_file(config.secret_file);
    write_file(in("store/data.mdb"));
    write_file(in("other/file"));
    return 0;
}

static int remove_places(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

/* The status of a child that is confined and then does this; 0 is success. */
static int confined(int (*act)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct fault fault;
        sigset_t all; /* as a server may have left them */

        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        log_open(config.log_target, LOG_LEVEL_NOTICE, &fault);
        confine_process(&config, in("other/socket"));
        _exit(act());
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool refused(long result)
{
    return result == -1 && errno == EPERM;
}

static void skip_without(bool offered)
{
    if (!offered) {
        skip();
    }
}

/* ---- system calls ---- */

static int start_another(void)
{
    static char *const none[] = {NULL};

    return !(refused(execve("/bin/true", none, none)) && refused(fork()) &&
             refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) &&
             refused(syscall(SYS_execveat, AT_FDCWD, "/bin/true", none, none, 0)));
}

/* As fork of some versions of libc does. */
static int fork_with_signals_blocked(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    return !refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int meddle(void)
{
    return !(refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) && refused(kill(getppid(), 0)) &&
             refused(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0)) &&
             refused(setuid(getuid())));
}

static int connect_somewhere(void)
{
    int pair[2];

    return !(refused(socket(AF_INET, SOCK_STREAM, 0)) && refused(socket(AF_UNIX, SOCK_STREAM, 0)) &&
             refused(connect(0, NULL, 0)) && refused(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return !(page != MAP_FAILED && refused(mprotect(page, 4096, PROT_READ | PROT_EXEC)) &&
             mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                 MAP_FAILED &&
             errno == EPERM && munmap(page, 4096) == 0);
}

/* From the lowest number to the highest, and what has the number before and behind it. */
static int search_by_number(void)
{
    static const long forbidden[] = {
        SYS_kill,
        SYS_ptrace,
        SYS_syslog,
        SYS_setuid,
        SYS_setgid,
        SYS_setreuid,
        SYS_setregid,
        SYS_setgroups,
        SYS_setresuid,
        SYS_setresgid,
        SYS_setfsuid,
        SYS_setfsgid,
        SYS_capset,
        SYS_personality,
        SYS_pivot_root,
        SYS_adjtimex,
        SYS_chroot,
        SYS_acct,
        SYS_settimeofday,
        SYS_mount,
        SYS_umount2,
        SYS_swapon,
        SYS_swapoff,
        SYS_reboot,
        SYS_sethostname,
        SYS_init_module,
        SYS_delete_module,
        SYS_clock_settime,
        SYS_add_key,
        SYS_request_key,
        SYS_keyctl,
        SYS_unshare,
        SYS_setns,
        SYS_bpf,
        SYS_execveat,
        SYS_bind,
        SYS_listen,
        SYS_userfaultfd,
        424,
        425,
        426,
        427,
        434,
        438,
        440,
        442,
        447,
    };
    static const long allowed[] = {
        SYS_uname, SYS_getuid,    SYS_getgid, SYS_getppid, SYS_getpriority, SYS_gettid,
        SYS_umask, SYS_getrandom, SYS_statx,  SYS_accept4, SYS_eventfd2,    439,
        441};

    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        if (!refused(syscall(forbidden[i], -1, -1, -1, -1, -1, -1))) {
            return 1;
        }
    }
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        if (refused(syscall(allowed[i], -1, -1, -1, -1, -1, -1))) {
            return 2;
        }
    }
    return 0;
}

static void *nothing(void *self)
{
    return self;
}

static int go_on(void)
{
    pthread_t thread;
    char *memory = malloc(64 * 1024 * 1024);
    bool good = memory != NULL && memfd_create("copy", MFD_CLOEXEC) >= 0 &&
                pthread_create(&thread, NULL, nothing, NULL) == 0 &&
                pthread_join(thread, NULL) == 0;

    free(memory);
    return !good;
}

static void test_forbidden_calls(void **state)
{
    (void)state;
    skip_without(confine_offer().calls);
    assert_int_equal(confined(start_another), 0);
    assert_int_equal(confined(fork_with_signals_blocked), 0);
    assert_int_equal(confined(meddle), 0);
    assert_int_equal(confined(connect_somewhere), 0);
    assert_int_equal(confined(make_code), 0);
    assert_int_equal(confined(search_by_number), 0);
}

static void test_threads_and_memory(void **state)
{
    (void)state;
    assert_int_equal(confined(go_on), 0);
}

static int call_twice(void)
{
    return !(refused(socket(AF_INET, SOCK_STREAM, 0)) && refused(fork()));
}

static void read_log(char text[4096])
{
    FILE *log = fopen(config.log_target, "r");

    assert_non_null(log);
    text[fread(text, 1, 4095, log)] = '\0';
    fclose(log);
}

static void test_the_first_is_logged(void **state)
{
    char text[4096];
    char expected[64];

    (void)state;
    skip_without(confine_offer().calls);
    unlink(config.log_target);
    assert_int_equal(confined(call_twice), 0);
    read_log(text);
    snprintf(expected, sizeof expected, "tried system call %d,", (int)SYS_socket);
    assert_non_null(strstr(text, expected));
    assert_ptr_equal(strchr(text, '\n'), strrchr(text, '\n'));
}

/* ---- files ---- */

static bool opens(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC, 0600);

    if (file >= 0) {
        close(file);
    }
    return file >= 0;
}

/* A sanitizer's report reads what it likes. */
static bool reads_others(void)
{
#ifdef HARDEN_SANITIZED
    return false;
#else
    return opens("/etc/passwd", O_RDONLY) || opens(in("other/file"), O_RDONLY) ||
           opens(in("log/log"), O_RDONLY);
#endif
}

static int open_others(void)
{
    return reads_others() || opens(in("other/new"), O_WRONLY | O_CREAT) ||
           opens(in("keys/secret"), O_WRONLY) || unlink(in("keys/secret")) == 0 ||
           rename(in("store/data.mdb"), in("other/data.mdb")) == 0;
}

static int open_own(void)
{
    return !(opens(in("store/data.mdb"), O_RDWR) && opens(in("store/new"), O_RDWR | O_CREAT) &&
             unlink(in("store/new")) == 0 && opens(in("keys/secret"), O_RDONLY));
}

static int open_linked(void)
{
    return !opens(in("keys/link"), O_RDONLY);
}

/* A secret that is a link is read where it leads to; without that rule nothing there is. */
static void test_a_linked_secret(void **state)
{
    char secret[CONFIG_PATH_MAX];

    (void)state;
    strcpy(secret, config.secret_file);
    mkdir(in("linked"), 0700);
    write_file(in("linked/secret"));
    assert_int_equal(symlink(in("linked/secret"), in("keys/link")), 0);
    snprintf(config.secret_file, sizeof config.secret_file, "%s", in("keys/link"));
    assert_int_equal(confined(open_linked), 0);
    strcpy(config.secret_file, secret);
#ifndef HARDEN_SANITIZED
    skip_without(confine_offer().files);
    assert_int_equal(confined(open_linked), 1);
#endif
}

static int rotate(void)
{
    log_reopen();
    log_line(LOG_LEVEL_NOTICE, "reopened");
    return access(config.log_target, F_OK) != 0;
}

static int log_to_daemon(void)
{
    log_line(LOG_LEVEL_NOTICE, "from within");
    return 0;
}

static void test_log_daemon(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char file[CONFIG_PATH_MAX];
    char line[128] = "";
    int daemon = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)state;
    strcpy(file, config.log_target);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/daemon", directory);
    assert_int_equal(bind(daemon, (const struct sockaddr *)&address, sizeof address), 0);
    snprintf(config.log_target, sizeof config.log_target, "syslog:%s", address.sun_path);
    assert_int_equal(confined(log_to_daemon), 0);
    assert_true(recv(daemon, line, sizeof line - 1, 0) > 0);
    assert_non_null(strstr(line, "notice from within"));
    strcpy(config.log_target, file);
    close(daemon);
}

static void test_files_of_others(void **state)
{
    (void)state;
    skip_without(confine_offer().files);
    assert_int_equal(confined(open_others), 0);
}

static void test_own_files(void **state)
{
    (void)state;
    assert_int_equal(confined(open_own), 0);
}

static void test_log_that_was_renamed(void **state)
{
    struct stat status;

    (void)state;
    unlink(config.log_target);
    assert_int_equal(confined(rotate), 0);
    assert_int_equal(stat(config.log_target, &status), 0);
    assert_true(status.st_size > 0);
}

static int remove_socket(void)
{
    return unlink(in("other/socket"));
}

static void test_socket_is_removed(void **state)
{
    (void)state;
    write_file(in("other/socket"));
    assert_int_equal(confined(remove_socket), 0);
}

/* ---- wishes ---- */

static int open_and_call(void)
{
    return (opens("/etc/passwd", O_RDONLY) ? 1 : 0) +
           (refused(socket(AF_INET, SOCK_STREAM, 0)) ? 2 : 0);
}

static void test_wishes(void **state)
{
    struct confinement offer = confine_offer();

    (void)state;
    setenv("RETOKEN_CONFINE", "off", 1);
    assert_int_equal(confined(open_and_call), 1);
    setenv("RETOKEN_CONFINE", "calls", 1);
    assert_int_equal(confined(open_and_call), offer.calls ? 3 : 1);
    unsetenv("RETOKEN_CONFINE");
    assert_string_equal(confine_words((struct confinement){true, true}), "system calls and files");
    assert_string_equal(confine_words((struct confinement){false, false}), "nothing");
}

/* ---- a store behind a server ---- */

/* Where a connection leads after a failover is looked up then, with certificates and a password. */
static int reach_a_server(void)
{
    /* libc asks the kernel for addresses, as it does where a host has more than one */
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int error = getaddrinfo("localhost", "5432", &hints, &found);
    int local = socket(AF_UNIX, SOCK_STREAM, 0);
    int other = found != NULL ? socket(found->ai_family, SOCK_STREAM, 0) : -1;

    if (found != NULL) {
        freeaddrinfo(found);
    }
    return !(error == 0 && local >= 0 && other >= 0 && opens(in("keys/secret"), O_RDONLY) &&
             opens(in("passwords/db"), O_RDONLY) && opens(in("tls/root.crt"), O_RDONLY) &&
             refused(fork()) && refused(listen(local, 1)));
}

#ifndef HARDEN_SANITIZED
static int reach_others(void)
{
    return opens(in("other/file"), O_RDONLY) || opens(in("store/data.mdb"), O_RDONLY) ||
           opens(in("passwords/db"), O_WRONLY);
}
#endif

static void test_a_store_behind_a_server(void **state)
{
    char lmdb[CONFIG_PATH_MAX];
    char text[4096];
    char bound[64];

    (void)state;
    strcpy(lmdb, config.store);
    mkdir(in("passwords"), 0700);
    mkdir(in("tls"), 0700);
    write_file(in("passwords/db"));
    write_file(in("tls/root.crt"));
    snprintf(config.store, sizeof config.store,
             "postgresql://a,b/retoken?sslmode=verify-full&sslrootcert=%s", in("tls/root.crt"));
    snprintf(config.store_password_file, sizeof config.store_password_file, "%s",
             in("passwords/db"));
    unlink(config.log_target);
    skip_without(confine_offer().calls);
    assert_int_equal(confined(reach_a_server), 0);
    read_log(text);
    snprintf(bound, sizeof bound, "tried system call %d,", (int)SYS_bind);
    assert_null(strstr(text, bound)); /* which libc tries, and does without */
#ifndef HARDEN_SANITIZED
    skip_without(confine_offer().files);
    assert_int_equal(confined(reach_others), 0);
#endif
    strcpy(config.store, lmdb);
    config.store_password_file[0] = '\0';
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forbidden_calls),         cmocka_unit_test(test_threads_and_memory),
        cmocka_unit_test(test_the_first_is_logged),     cmocka_unit_test(test_log_daemon),
        cmocka_unit_test(test_files_of_others),         cmocka_unit_test(test_own_files),
        cmocka_unit_test(test_a_linked_secret),         cmocka_unit_test(test_log_that_was_renamed),
        cmocka_unit_test(test_socket_is_removed),       cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_a_store_behind_a_server),
    };
    return cmocka_run_group_tests(tests, make_places, remove_places);
}
