/* SPDX-License-Identifier: ISC */
/* main.c: retoken.fcgi. Finds out how it was started, makes the process fit to hold secrets, and
 * serves over FastCGI or plain CGI. Knows options and descriptors; does not know requests. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "process/config.h"
#include "process/confine.h"
#include "process/harden.h"
#include "process/supervisor.h"
#include "process/version.h"
#include "responder/serve.h"
#include "server/cgi.h"
#include "server/listener.h"
#include "server/workers.h"

enum { EXIT_USAGE = 2, EXIT_FAULT = 3 };

enum start { START_GUESS, START_CGI, START_FCGI, START_LISTEN };

struct options {
    enum start start;
    int passed; /* the listening socket of START_FCGI: standard input, or a supervisor's; else -1 */
    const char *config_file;
    const char *listen;
    mode_t mode;
    size_t threads; /* 0: as configured */
};

static const char help[] =
    "retoken.fcgi [-c FILE] [--listen WHERE [--mode MODE]] [--threads N] [--cgi | --fcgi]\n"
    "\n"
    "Answers refresh-token requests behind a web server. The web server starts it over FastCGI (a\n"
    "listening socket on standard input) or as a CGI script, and systemd by its socket unit, "
    "which\n"
    "it detects. On its own:\n"
    "\n"
    "  -c, --config FILE  the configuration (default: $RETOKEN_CONFIG, or retoken.conf in\n"
    "                     $RETOKEN_HOME, or " CONFIG_SYSTEM ")\n"
    "  --listen WHERE     listen for FastCGI on a Unix socket (its path), 127.0.0.1:PORT or\n"
    "                     [::1]:PORT\n"
    "  --mode MODE        permissions of the Unix socket, in octal (default: 0660)\n"
    "  --threads N        at most N threads, 1 to 256 (default: `threads` in the configuration)\n"
    "  --cgi, --fcgi      expect to be started that way\n"
    "  --help, --version\n"
    "\n"
    "As a CGI script it reads no options, because the client controls its command line: set\n"
    "RETOKEN_CONFIG or RETOKEN_HOME in the configuration of the web server or in a wrapper.\n"
    "\n"
    "SIGTERM finishes what is in flight, SIGHUP reads the configuration again. Exit status: 0 "
    "normal end, 1 trouble while serving,\n"
    "2 wrong usage, 3 cannot start. Manual: man retoken.fcgi\n";

static bool is_started_as_cgi(void);
static bool parse_options(int argc, char **argv, struct options *options, int *status);
static bool guess_start(struct options *options);
static bool act_as_owner(const struct options *options);
static void keep_secrets(void);
static int run_cgi(const struct options *options);
static int run_workers(const struct options *options);
static void confine(struct serve *serve, const char *socket);
static void leave(int status);

int main(int argc, char **argv)
{
    struct options options = {.start = START_GUESS, .passed = -1, .mode = 0660};
    struct fault fault;
    int status;

    if (!harden_descriptors()) {
        return EXIT_FAULT;
    } else if (!supervisor_take_socket(&options.passed, &fault)) {
        fprintf(stderr, "retoken.fcgi: %s\n", fault.text);
        return EXIT_FAULT;
    } else if (!parse_options(is_started_as_cgi() ? 1 : argc, argv, &options, &status) ||
               !guess_start(&options)) {
        return status;
    }
    if (!act_as_owner(&options)) {
        return EXIT_FAULT;
    }
    keep_secrets();
    leave(options.start == START_CGI ? run_cgi(&options) : run_workers(&options));
}

/* ---- options ---- */

static bool parse_mode(const char *word, mode_t *mode);
static bool parse_threads(const char *word, size_t *threads);

/* False: exit with *status. */
static bool parse_options(int argc, char **argv, struct options *options, int *status)
{
    static const struct option names[] = {
        {"config", required_argument, NULL, 'c'},
        {"listen", required_argument, NULL, 'l'},
        {"mode", required_argument, NULL, 'm'},
        {"threads", required_argument, NULL, 't'},
        {"cgi", no_argument, NULL, 'C'},
        {"fcgi", no_argument, NULL, 'F'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    char version[VERSION_TEXT_MAX];
    int letter;

    *status = EXIT_USAGE;
    while ((letter = getopt_long(argc, argv, "c:", names, NULL)) != -1) {
        switch (letter) {
        case 'c':
            options->config_file = optarg;
            break;
        case 'l':
            options->start = START_LISTEN;
            options->listen = optarg;
            break;
        case 'm':
            if (!parse_mode(optarg, &options->mode)) {
                return false;
            }
            break;
        case 't':
            if (!parse_threads(optarg, &options->threads)) {
                return false;
            }
            break;
        case 'C':
            options->start = START_CGI;
            break;
        case 'F':
            options->start = START_FCGI;
            break;
        case 'h':
            fputs(help, stdout);
            *status = EXIT_SUCCESS;
            return false;
        case 'v':
            version_text("retoken.fcgi", version);
            puts(version);
            *status = EXIT_SUCCESS;
            return false;
        default:
            fputs("retoken.fcgi: see retoken.fcgi --help\n", stderr);
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "retoken.fcgi: %s: not an option; see retoken.fcgi --help\n", argv[optind]);
        return false;
    }
    return true;
}

static bool parse_mode(const char *word, mode_t *mode)
{
    char *end;
    unsigned long value = strtoul(word, &end, 8);

    if (word[0] < '0' || word[0] > '7' || *end != '\0' || value > 0777) {
        fprintf(stderr,
                "retoken.fcgi: --mode %s: not permissions in octal; write for example "
                "0660\n",
                word);
        return false;
    }
    *mode = (mode_t)value;
    return true;
}

static bool parse_threads(const char *word, size_t *threads)
{
    uint64_t value;

    if (!text_to_u64(text_of(word), CONFIG_THREADS_MAX, &value) || value == 0) {
        fprintf(stderr, "retoken.fcgi: --threads %s: write 1 to %d\n", word, CONFIG_THREADS_MAX);
        return false;
    }
    *threads = (size_t)value;
    return true;
}

/* ---- how it was started ---- */

/* For script?word, a web server calls the script with `word` as an argument (RFC 3875 section 4.4):
 * in CGI, the command line comes from the client. */
static bool is_started_as_cgi(void)
{
    return getenv("GATEWAY_INTERFACE") != NULL && !listener_is_one(STDIN_FILENO);
}

static bool guess_start(struct options *options)
{
    if (options->passed < 0 && listener_is_one(STDIN_FILENO)) {
        options->passed = STDIN_FILENO;
    }
    if (options->start == START_GUESS && options->passed >= 0) {
        options->start = START_FCGI;
    } else if (options->start == START_GUESS && is_started_as_cgi()) {
        options->start = START_CGI;
    } else if (options->start == START_GUESS) {
        fputs(
            "retoken.fcgi: started neither over FastCGI (no listening socket was passed) nor as a\n"
            "CGI script (GATEWAY_INTERFACE is not set). To listen on a socket:\n"
            "  retoken.fcgi --listen /run/retoken/retoken.sock\n",
            stderr);
        return false;
    } else if (options->start == START_CGI && getenv("GATEWAY_INTERFACE") == NULL) {
        fputs("retoken.fcgi: --cgi: GATEWAY_INTERFACE is not set\n", stderr);
        return false;
    } else if (options->start == START_FCGI && options->passed < 0) {
        fputs("retoken.fcgi: --fcgi: no listening socket was passed; to open one: --listen WHERE\n",
              stderr);
        return false;
    }
    return true;
}

/* ---- a process that holds secrets ---- */

/* A configuration that cannot be read is left to serve_open, which tells. */
static bool act_as_owner(const struct options *options)
{
    static struct config config; /* large */
    struct fault fault;

    if (geteuid() != 0) {
        return true;
    }
    config_load(options->config_file, &config, NULL);
    if (!harden_act_as_owner(config.data, &fault)) {
        fprintf(stderr, "retoken.fcgi: %s\n", fault.text);
        return false;
    }
    return true;
}

static void limit_memory(void);

static void keep_secrets(void)
{
    harden_process();
    unsetenv("HTTP_PROXY");
    /* all our times are UTC; libc would read /etc/localtime */
    setenv("TZ", "UTC0", 1);
    limit_memory();
}

/* libfcgi allocates what a record announces, up to 2 GiB: better that this fails. */
static void limit_memory(void)
{
#ifndef HARDEN_SANITIZED
    const rlim_t most = (rlim_t)1024 * 1024 * 1024; /* room for 256 stacks and 4 password checks */
    struct rlimit limit;

    if (getrlimit(RLIMIT_DATA, &limit) == 0 &&
        (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > most)) {
        limit.rlim_cur = most;
        setrlimit(RLIMIT_DATA, &limit);
    }
#endif
}

/* ---- running ---- */

static int run_cgi(const struct options *options)
{
    struct serve *serve = serve_open(options->config_file, true);

    if (serve == NULL) {
        fputs("retoken.fcgi: out of memory\n", stderr);
        return EXIT_FAULT;
    }
    confine_process(serve_config(serve), NULL);
    struct server_handler handler = serve_handler(serve);
    return cgi_run(&handler);
}

static int run_workers(const struct options *options)
{
    struct supervisor supervisor;
    struct listener listener;
    struct fault fault;
    bool listening = options->start == START_LISTEN
                         ? listener_open(&listener, options->listen, options->mode, &fault)
                         : listener_adopt(&listener, options->passed, &fault);

    if (!listening) {
        fprintf(stderr, "retoken.fcgi: %s\n", fault.text);
        return EXIT_FAULT;
    }
    workers_block_signals();
    struct serve *serve = serve_open(options->config_file, false);
    if (serve == NULL) {
        fputs("retoken.fcgi: out of memory\n", stderr);
        listener_close(&listener);
        return EXIT_FAULT;
    } else if (!supervisor_open(&supervisor, &fault)) {
        log_line(LOG_LEVEL_ERROR, "%s; it is told nothing", fault.text);
    }
    serve_supervised(serve, &supervisor);
    serve_warm(serve);
    confine(serve, options->start == START_LISTEN ? listener.path : NULL);
    size_t threads = options->threads > 0 ? options->threads : serve_threads(serve);
    struct server_handler handler = serve_handler(serve);
    int status = workers_run(&listener, &handler, threads);
    listener_close(&listener);
    return status;
}

static void confine(struct serve *serve, const char *socket)
{
    const struct config *config = serve_config(serve);
    struct confinement done = confine_process(config, socket);

    log_line(config != NULL ? LOG_LEVEL_INFO : LOG_LEVEL_NOTICE, "confined: %s%s",
             confine_words(done),
             config != NULL ? "" : "; files from the next start on, when all can be opened");
}

/* Leaves the store open: closing it races with another process that opens it, and every commit is
 * on disk. */
static void leave(int status)
{
    fflush(NULL);
    _exit(status);
}
