/* SPDX-License-Identifier: ISC */
/* main.c: the program `retoken`: one table of verbs, which is also its help, and the way from a
 * command line to one of them. Does not know what a verb does. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/completion.h"
#include "admin/verbs/verbs.h"
#include "process/harden.h"
#include "process/version.h"

enum { MEMORY_LIMIT = 64 * 1024 * 1024 };

static enum call_end completion_run(struct call *call);
static enum call_end help_run(struct call *call);
static enum call_end version_run(struct call *call);

static enum call_end run(struct call *call);
static enum call_end act_as_owner(struct call *call);
static enum call_end choose(struct call *call);
static const struct verb *find_verb(const char *noun, const char *verb);
static enum call_end check_usage(struct call *call);
static enum call_end help_run(struct call *call);
static void print_all(FILE *stream);
static size_t print_verbs(FILE *stream, const char *noun);
static void print_verb(FILE *stream, const struct verb *verb);
static void print_option(FILE *stream, const struct option_row *row);
static int synopsis(const struct verb *verb, char *out, size_t room);
static enum call_end version_run(struct call *call);
static enum call_end completion_run(struct call *call);

#define ACCOUNT_FACTS                                                                              \
    (OPTION_BIT(ROLE) | OPTION_BIT(SUBJECT) | OPTION_BIT(CLAIM) | OPTION_BIT(CLAIMS_FILE))
#define KEY_FACTS                                                                                  \
    (OPTION_BIT(ALGORITHM) | OPTION_BIT(REALM) | OPTION_BIT(KID) | OPTION_BIT(ACTIVATE) |          \
     OPTION_BIT(JSON))
#define EVENT_FILTER                                                                               \
    (OPTION_BIT(SESSION) | OPTION_BIT(ACCOUNT) | OPTION_BIT(CLIENT) | OPTION_BIT(KIND) |           \
     OPTION_BIT(SINCE))

static const struct verb verbs[] = {
    {"init", "", "", 0, 0, OPTION_BIT(ISSUER) | OPTION_BIT(STORE) | OPTION_BIT(OWNER),
     CALL_NEEDS_NOTHING, init_run,
     "create what is missing: configuration, secret, store, signing keys"},

    {"account", "add", "NAME", 1, 1,
     ACCOUNT_FACTS | OPTION_BIT(PASSWORD_FILE) | OPTION_BIT(NO_PASSWORD) | OPTION_BIT(FORCE),
     CALL_NEEDS_WRITING, verbs_account_add, "add an account; asks for its password"},
    {"account", "set", "NAME", 1, 1,
     ACCOUNT_FACTS | OPTION_BIT(PASSWORD_CHANGE) | OPTION_BIT(SESSION_LIMIT), CALL_NEEDS_WRITING,
     verbs_account_set, "change roles, subject, claims or rules"},
    {"account", "passwd", "NAME", 1, 1,
     OPTION_BIT(PASSWORD_FILE) | OPTION_BIT(NO_PASSWORD) | OPTION_BIT(FORCE), CALL_NEEDS_WRITING,
     verbs_account_passwd, "change its password; ends its sessions"},
    {"account", "import", "FILE", 1, 1,
     OPTION_BIT(HTPASSWD) | OPTION_BIT(SHADOW) | OPTION_BIT(UPDATE) | OPTION_BIT(DRY_RUN) |
         OPTION_BIT(JSON),
     CALL_NEEDS_WRITING, verbs_account_import,
     "add accounts from a file: one a line, JSON or other"},
    {"account", "export", "", 0, 0, OPTION_BIT(WITH_HASHES), CALL_NEEDS_READING,
     verbs_account_export, "print all accounts, one a line as JSON"},
    {"account", "list", "", 0, 0, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_account_list,
     "list all accounts"},
    {"account", "show", "NAME", 1, 1, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_account_show,
     "show one account"},
    {"account", "disable", "NAME", 1, 1, OPTION_BIT(KEEP_SESSIONS), CALL_NEEDS_WRITING,
     verbs_account_disable, "refuse it and end its sessions"},
    {"account", "enable", "NAME", 1, 1, 0, CALL_NEEDS_WRITING, verbs_account_enable,
     "accept it again"},
    {"account", "unlock", "NAME", 1, 1, 0, CALL_NEEDS_WRITING, verbs_account_unlock,
     "forget wrong passwords, so that the next one is looked at"},
    {"account", "remove", "NAME", 1, 1, 0, CALL_NEEDS_WRITING, verbs_account_remove,
     "remove it and end its sessions"},

    {"client", "add", "ID", 1, 1,
     OPTION_BIT(PUBLIC) | OPTION_BIT(SECRET_FILE) | OPTION_BIT(FORCE) | OPTION_BIT(SCOPE) |
         OPTION_BIT(POLICY) | OPTION_BIT(GRANT) | OPTION_BIT(KEY) | OPTION_BIT(ALGORITHM) |
         OPTION_BIT(CERTIFICATE) | OPTION_BIT(CERTIFICATE_NAME) | OPTION_BIT(ORIGIN) |
         OPTION_BIT(REDIRECT_URI) | OPTION_BIT(JSON),
     CALL_NEEDS_WRITING, verbs_client_add, "register a client; prints its secret once"},
    {"client", "list", "", 0, 0, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_client_list,
     "list all clients"},
    {"client", "show", "ID", 1, 1, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_client_show,
     "show one client"},
    {"client", "set", "ID", 1, 1,
     OPTION_BIT(POLICY) | OPTION_BIT(GRANT) | OPTION_BIT(KEY) | OPTION_BIT(ALGORITHM) |
         OPTION_BIT(CERTIFICATE) | OPTION_BIT(CERTIFICATE_NAME) | OPTION_BIT(SCOPE) |
         OPTION_BIT(ORIGIN) | OPTION_BIT(REDIRECT_URI),
     CALL_NEEDS_WRITING, verbs_client_set,
     "give it a policy of its own, or another scope, grants, keys, certificates, origins or "
     "redirect URIs"},
    {"client", "secret", "add|list|retire ID [NUMBER]", 2, 3,
     OPTION_BIT(SECRET_FILE) | OPTION_BIT(FORCE) | OPTION_BIT(JSON), CALL_NEEDS_WRITING,
     verbs_client_secret, "give it a second secret, look at both, or end one; no session ends"},
    {"client", "disable", "ID", 1, 1, 0, CALL_NEEDS_WRITING, verbs_client_disable,
     "refuse it and its sessions until it is enabled"},
    {"client", "enable", "ID", 1, 1, 0, CALL_NEEDS_WRITING, verbs_client_enable,
     "accept it and its sessions again"},
    {"client", "unlock", "ID", 1, 1, 0, CALL_NEEDS_WRITING, verbs_client_unlock,
     "forget wrong secrets, so that the next one is looked at"},
    {"client", "remove", "ID", 1, 1, 0, CALL_NEEDS_WRITING, verbs_client_remove,
     "remove it and end its sessions"},

    {"session", "create", "", 0, 0,
     OPTION_BIT(MOUNT) | OPTION_BIT(ACCOUNT) | OPTION_BIT(CLIENT) | OPTION_BIT(SCOPE) |
         OPTION_BIT(IMPORT) | OPTION_BIT(FORCE) | OPTION_BIT(JSON),
     CALL_NEEDS_WRITING, verbs_session_create, "begin a session; prints its tokens once"},
    {"session", "import", "[FILE]", 0, 1,
     OPTION_BIT(MOUNT) | OPTION_BIT(CREATE_ACCOUNTS) | OPTION_BIT(DRY_RUN) | OPTION_BIT(FORCE) |
         OPTION_BIT(JSON),
     CALL_NEEDS_WRITING, verbs_session_import,
     "honour refresh tokens of another server, one JSON object a line"},
    {"session", "export", "", 0, 0,
     OPTION_BIT(WITH_TOKENS) | OPTION_BIT(ACCOUNT) | OPTION_BIT(MOUNT), CALL_NEEDS_READING,
     verbs_session_export, "print all sessions, one a line as JSON"},
    {"session", "list", "", 0, 0, OPTION_BIT(ACCOUNT) | OPTION_BIT(JSON), CALL_NEEDS_READING,
     verbs_session_list, "list sessions, oldest first"},
    {"session", "show", "SESSION", 1, 1, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_session_show,
     "show one session"},
    {"session", "revoke", "[SESSION]", 0, 1,
     OPTION_BIT(ACCOUNT) | OPTION_BIT(CLIENT) | OPTION_BIT(REALM) | OPTION_BIT(ALL),
     CALL_NEEDS_WRITING, verbs_session_revoke,
     "end one session, or all of an account, a client, a realm, or all there are"},

    {"key", "add", "", 0, 0, KEY_FACTS, CALL_NEEDS_WRITING, verbs_key_add,
     "generate a signing key; it is published, not yet active"},
    {"key", "list", "", 0, 0, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_key_list,
     "list signing keys"},
    {"key", "import", "[FILE]", 0, 1, KEY_FACTS | OPTION_BIT(VERIFY_ONLY) | OPTION_BIT(FORCE),
     CALL_NEEDS_WRITING, verbs_key_import, "import a private key in PEM, or an HS256 secret"},
    {"key", "export", "KID [FILE]", 1, 2, OPTION_BIT(PUBLIC) | OPTION_BIT(FORCE),
     CALL_NEEDS_WRITING, verbs_key_export,
     "write a key as import takes it, to a new file that only you can read, or a pipe"},
    {"key", "rotate", "", 0, 0,
     OPTION_BIT(ALGORITHM) | OPTION_BIT(REALM) | OPTION_BIT(NOW) | OPTION_BIT(JSON),
     CALL_NEEDS_WRITING, verbs_key_rotate,
     "publish the next keys now; they sign once caches have them, and replace the old ones"},
    {"key", "activate", "KID", 1, 1, OPTION_BIT(NOW), CALL_NEEDS_WRITING, verbs_key_activate,
     "let a key sign"},
    {"key", "retire", "KID", 1, 1, OPTION_BIT(FORCE), CALL_NEEDS_WRITING, verbs_key_retire,
     "let a key neither sign nor verify"},

    {"secret", "list", "", 0, 0, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_secret_list,
     "list master secrets, and how many sessions need each"},
    {"secret", "rotate", "", 0, 0, OPTION_BIT(NOW) | OPTION_BIT(JSON), CALL_NEEDS_WRITING,
     verbs_secret_rotate, "add a master secret now; new tokens are under it once all have it"},
    {"secret", "retire", "ID", 1, 1, 0, CALL_NEEDS_WRITING, verbs_secret_retire,
     "refuse the tokens under a master secret that no session needs"},

    {"explain", "", "[TOKEN]", 0, 1, OPTION_BIT(JSON), CALL_NEEDS_READING, explain_run,
     "explain what a token is and whether it is accepted; reads stdin"},
    {"events", "dead", "", 0, 0, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_delivery_dead,
     "list what webhooks did not take for three days"},
    {"events", "retry", "[NUMBER]", 0, 1, OPTION_BIT(ALL), CALL_NEEDS_WRITING, verbs_delivery_retry,
     "send it again"},
    {"events", "list", "", 0, 0, EVENT_FILTER | OPTION_BIT(LAST) | OPTION_BIT(JSON),
     CALL_NEEDS_READING, verbs_event_list, "list what happened, newest first"},
    {"events", "follow", "", 0, 0, EVENT_FILTER | OPTION_BIT(LAST) | OPTION_BIT(JSON),
     CALL_NEEDS_READING, verbs_event_follow, "print what happens, until it is interrupted"},
    {"events", "summary", "", 0, 0, EVENT_FILTER | OPTION_BIT(JSON), CALL_NEEDS_READING,
     verbs_event_summary, "count what happened in 7 days, by kind, and what reuse ended"},
    {"events", "verify", "", 0, 0, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_event_verify,
     "check that no event of security or administration was removed"},
    {"events", "", "", 0, 0, EVENT_FILTER | OPTION_BIT(LAST) | OPTION_BIT(JSON), CALL_NEEDS_READING,
     verbs_event_list, "the same as events list"},

    {"notify", "", "", 0, 0, OPTION_BIT(ONCE), CALL_NEEDS_WRITING, notify_run,
     "send events to the webhooks, until it is stopped"},

    {"store", "stat", "", 0, 0, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_store_stat,
     "print the numbers and sizes of the store"},
    {"store", "check", "", 0, 0, OPTION_BIT(JSON), CALL_NEEDS_READING, verbs_store_check,
     "check every record and index entry"},
    {"store", "backup", "DIR", 1, 1, 0, CALL_NEEDS_READING, verbs_store_backup,
     "copy the store into a new directory, while it is in use"},
    {"store", "restore", "DIR", 1, 1, OPTION_BIT(JSON), CALL_NEEDS_NOTHING, verbs_store_restore,
     "put a backup in the store's place, and keep what was there"},
    {"store", "copy", "FROM TO", 2, 2, 0, CALL_NEEDS_NOTHING, verbs_store_copy,
     "copy a store into an empty one, perhaps of another kind"},
    {"store", "prune", "", 0, 0, OPTION_BIT(YES), CALL_NEEDS_WRITING, verbs_store_prune,
     "remove sessions that ended long ago"},

    {"dialects", "", "[NAME]", 0, 1, OPTION_BIT(JSON) | OPTION_BIT(PAGE), CALL_NEEDS_NOTHING,
     verbs_dialect_list, "list the dialects; of one its paths and what it starts with"},
    {"dialect", "check", "FILE", 1, 1, 0, CALL_NEEDS_NOTHING, verbs_dialect_check,
     "say in sentences what the file of a dialect does"},
    {"dialect", "try", "FILE", 1, 1, OPTION_BIT(REQUEST) | OPTION_BIT(OUTCOME), CALL_NEEDS_NOTHING,
     verbs_dialect_try, "show what it reads from a request, and the exact answer"},
    {"dialect", "learn", "", 0, 0,
     OPTION_BIT(REQUEST) | OPTION_BIT(ANSWER) | OPTION_BIT(REFUSAL) | OPTION_BIT(HAR),
     CALL_NEEDS_NOTHING, verbs_dialect_learn,
     "propose a dialect's file from a recording: --har FILE"},
    {"dialect", "test", "DIR", 1, 1, OPTION_BIT(JSON), CALL_NEEDS_NOTHING, verbs_dialect_test,
     "replay recordings beside a FILE.dialect, and show differences"},
    {"doctor", "", "", 0, 0, OPTION_BIT(URL) | OPTION_BIT(CA_FILE) | OPTION_BIT(JSON),
     CALL_NEEDS_NOTHING, doctor_run, "check the installation, or the site as clients see it"},
    {"completion", "", "bash|zsh", 1, 1, 0, CALL_NEEDS_NOTHING, completion_run,
     "print what makes the shell complete command lines of retoken"},
    {"version", "", "", 0, 0, 0, CALL_NEEDS_NOTHING, version_run,
     "print the version and what it was built from"},
    {"help", "", "[NOUN [VERB]]", 0, 2, 0, CALL_NEEDS_NOTHING, help_run,
     "print how a verb is used"},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

/* Options of every verb. */
static const uint64_t common = OPTION_BIT(CONFIG) | OPTION_BIT(HELP);

/* ---- from a command line to a verb ---- */

int main(int argc, char **argv)
{
    static struct call call; /* large: it holds a configuration */
    struct fault fault = {0};

    if (!harden_descriptors()) {
        return CALL_FAULT;
    }
    harden_process();
    call.clock = clock_system();
    call.randomness = randomness_system();
    call.now_ms = clock_now_ms(&call.clock);
    call.arena = arena_open(MEMORY_LIMIT);
    if (!options_read(argc, argv, &call.options, &fault)) {
        return (int)call_wrong(&call, "%s", fault.text);
    }
    if (call.arena == NULL ||
        !output_open(&call.output, stdout, options_has(&call.options, OPTION_JSON), call.now_ms)) {
        fault_set(&fault, "out of memory");
        return (int)call_fault(&call, &fault);
    }
    enum call_end end = run(&call);
    if (!output_close(&call.output)) {
        fault_set(&fault, "standard output could not be written completely");
        end = call_fault(&call, &fault);
    }
    arena_close(call.arena); /* wiped: it held tokens */
    if (call.opened) {
        secrets_close(&call.service.secrets);
    }
    fflush(NULL);
    _exit((int)end); /* the store stays open: closing it races with its opening by other processes
                        (store.h) */
}

static enum call_end run(struct call *call)
{
    enum call_end end = choose(call);
    struct fault notice;

    if (end != CALL_DONE || call->verb == NULL) {
        return end;
    }
    if (options_has(&call->options, OPTION_HELP) && call->options.argument_count > 0) {
        print_verb(stdout, call->verb);
        return CALL_DONE;
    }
    end = check_usage(call);
    end = end == CALL_DONE ? act_as_owner(call) : end;
    end = end == CALL_DONE ? call_open(call) : end;
    end = end == CALL_DONE ? call->verb->run(call) : end;
    if (call->opened && store_notice(call->service.store, &notice)) {
        fprintf(stderr, "retoken: %s\n", notice.text);
    }
    return end;
}

/* Of the installation, even where its configuration is wrong, or is yet to be written by init. */
static enum call_end act_as_owner(struct call *call)
{
    struct config *config = &call->service.config;
    struct fault fault;

    if (geteuid() != 0) {
        return CALL_DONE;
    }
    config_load(options_value(&call->options, OPTION_CONFIG), config, NULL);
    return harden_act_as_owner(config->data, &fault) ? CALL_DONE : call_fault(call, &fault);
}

/* Finds the row, or prints what would be right. CALL_DONE without a row: help was asked for and
 * printed. */
static enum call_end choose(struct call *call)
{
    const struct options *options = &call->options;
    const char *noun = options->argument_count > 0 ? options->arguments[0] : NULL;
    const char *word = options->argument_count > 1 ? options->arguments[1] : NULL;

    if (noun == NULL && options_has(options, OPTION_HELP)) {
        noun = "help";
    } else if (noun == NULL && options_has(options, OPTION_VERSION)) {
        noun = "version";
    } else if (noun == NULL) {
        print_all(stderr);
        return CALL_USAGE;
    }
    call->verb = find_verb(noun, word);
    if (call->verb != NULL) {
        call->first_argument = call->verb->verb[0] != '\0' ? 2 : 1;
        return CALL_DONE;
    }
    bool known = false;
    for (size_t i = 0; i < VERBS; i++) {
        known = known || strcmp(verbs[i].noun, noun) == 0;
    }
    if (!known) {
        return call_wrong(call, "unknown command %s", noun);
    }
    if (word == NULL && options_has(options, OPTION_HELP)) {
        print_verbs(stdout, noun);
        return CALL_DONE;
    }
    fprintf(stderr, "retoken: %s: %s; choose one of:\n", noun,
            word != NULL ? "unknown verb" : "a verb is missing");
    print_verbs(stderr, noun);
    return CALL_USAGE;
}

static const struct verb *find_verb(const char *noun, const char *verb)
{
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].noun, noun) == 0 &&
            (verbs[i].verb[0] == '\0' || (verb != NULL && strcmp(verbs[i].verb, verb) == 0))) {
            return &verbs[i];
        }
    }
    return NULL;
}

/* Do arguments and options fit the row? */
static enum call_end check_usage(struct call *call)
{
    const struct verb *verb = call->verb;
    size_t given = call->options.argument_count > call->first_argument
                       ? call->options.argument_count - call->first_argument
                       : 0;
    const struct option_row *outside =
        options_outside(&call->options, verb->options | common | OPTION_BIT(VERSION));

    if (outside != NULL) {
        return call_wrong(call, "--%s does not go with this verb", outside->word);
    }
    if (given < verb->least) {
        return call_wrong(call, "%s is missing", verb->arguments);
    }
    if (given > verb->most) {
        /* not repeated here: it may have been meant as a secret */
        return call_wrong(call, "too many arguments; it takes %s%s", verb->most == 0 ? "none" : "",
                          verb->arguments);
    }
    return CALL_DONE;
}

/* ---- help and version ---- */

static enum call_end help_run(struct call *call)
{
    const char *noun = call_argument(call, 0);
    const char *word = call_argument(call, 1);
    const struct verb *verb = noun != NULL ? find_verb(noun, word) : NULL;

    if (noun == NULL) {
        print_all(stdout);
    } else if (verb != NULL) {
        print_verb(stdout, verb);
    } else if (word != NULL || print_verbs(stdout, noun) == 0) {
        return call_wrong(call, "unknown command %s%s%s", noun, word != NULL ? " " : "",
                          word != NULL ? word : "");
    }
    return CALL_DONE;
}

static void print_all(FILE *stream)
{
    fputs("usage: retoken [-c FILE] NOUN [VERB] [arguments] [options]\n\n", stream);
    print_verbs(stream, NULL);
    fputs("\n`retoken help NOUN VERB` prints the options of a verb. Exit status: 0 done, 1 refused "
          "or not "
          "found,\n2 wrong usage, 3 something is broken. See retoken(1).\n",
          stream);
}

/* All verbs, or those of one noun; the count. */
static size_t print_verbs(FILE *stream, const char *noun)
{
    size_t count = 0;

    for (size_t i = 0; i < VERBS; i++) {
        char line[64];

        if (noun != NULL && strcmp(verbs[i].noun, noun) != 0) {
            continue;
        }
        synopsis(&verbs[i], line, sizeof line);
        fprintf(stream, "  %-24s %s\n", line, verbs[i].summary);
        count++;
    }
    return count;
}

static void print_verb(FILE *stream, const struct verb *verb)
{
    char line[64];

    synopsis(verb, line, sizeof line);
    fprintf(stream, "usage: retoken %s%s\n%s\n", line, verb->options != 0 ? " [options]" : "",
            verb->summary);
    fputs("\noptions:\n", stream);
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (((verb->options | common) >> i & 1) != 0) {
            print_option(stream, options_row((enum option_id)i));
        }
    }
}

static void print_option(FILE *stream, const struct option_row *row)
{
    char name[48];
    char letter[8] = "";

    if (row->letter != 0) {
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    }
    snprintf(name, sizeof name, "%s--%s%s%s", letter, row->word, row->value[0] != '\0' ? " " : "",
             row->value);
    fprintf(stream, "  %-26s %s\n", name, row->help);
}

static int synopsis(const struct verb *verb, char *out, size_t room)
{
    return snprintf(out, room, "%s%s%s%s%s", verb->noun, verb->verb[0] != '\0' ? " " : "",
                    verb->verb, verb->arguments[0] != '\0' ? " " : "", verb->arguments);
}

static enum call_end version_run(struct call *call)
{
    char text[VERSION_TEXT_MAX];

    version_text("retoken", text);
    output_say(&call->output, "%s", text);
    return CALL_DONE;
}

static enum call_end completion_run(struct call *call)
{
    const struct completion_table table = {verbs, VERBS, common};
    const char *shell = call_argument(call, 0);

    return completion_print(stdout, shell, &table)
               ? CALL_DONE
               : call_wrong(call, "no completion for %.40s; take bash or zsh", shell);
}
